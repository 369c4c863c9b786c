//! The content that the local cloud generates, and the ways in which the benchmarks read it.
//!
//! Every byte that is read is compared with what the cloud must have sent: speed with wrong bytes is none.

use serde::Serialize;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// One read of a pattern.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub offset: u64,
    pub length: u32,
    /// Nothing before it led here: the time to its first byte counts.
    pub jump: bool,
}

/// `count` reads of 64 KiB anywhere in a file; the same at every run with the same `seed`.
pub fn random(size: u64, count: u64, seed: u64) -> Vec<Piece> {
    let length = 64 * 1024;
    let mut chance = fastrand::Rng::with_seed(seed);
    (0..count)
        .map(|_| Piece {
            offset: chance.u64(0..size - u64::from(length)),
            length,
            jump: true,
        })
        .collect()
}

/// What a player does with a video whose index is at its end, and a person who jumps about in it: the header, the
/// index, then twenty times 4 MiB from anywhere.
pub fn video(size: u64, seed: u64) -> Vec<Piece> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut pieces = Vec::new();
    let mut play = |from: u64, bytes: u64| {
        let length = 128 * 1024;
        for offset in (from..from + bytes).step_by(length as usize) {
            pieces.push(Piece {
                offset,
                length,
                jump: offset == from,
            });
        }
    };
    play(0, 128 * 1024);
    play(size - (1 << 20), 1 << 20);
    for _ in 0..20 {
        play(chance.u64(0..size - (8 << 20)), 4 << 20);
    }
    pieces
}

/// Writes a file of `size` bytes that no other `seed` makes, because the service takes no bytes that it has already.
pub fn make(path: &Path, seed: u64, size: u64) -> io::Result<()> {
    let mut file = File::create(path)?;
    let mut piece = Vec::with_capacity(1 << 20);
    for index in 0..size.div_ceil(8) {
        piece.extend(word(seed, index));
        if piece.len() == 1 << 20 {
            file.write_all(&piece)?;
            piece.clear();
        }
    }
    file.write_all(&piece)?;
    file.set_len(size)
}

/// Whether `bytes` are what the cloud generates from `seed` at `offset`.
pub fn is_right(seed: u64, offset: u64, bytes: &[u8]) -> bool {
    let (mut index, mut skip) = (offset / 8, (offset % 8) as usize);
    let mut rest = bytes;
    while !rest.is_empty() {
        let word = word(seed, index);
        let take = (8 - skip).min(rest.len());
        if rest[..take] != word[skip..skip + take] {
            return false;
        }
        rest = &rest[take..];
        (index, skip) = (index + 1, 0);
    }
    true
}

/// The eight bytes at word `index` (splitmix64), as in the cloud's `blobs`.
fn word(seed: u64, index: u64) -> [u8; 8] {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).to_le_bytes()
}

/// Durations in milliseconds, summed up.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Spread {
    pub calls: u64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let last = times.len().saturating_sub(1);
            times
                .get((last as f64 * part).round() as usize)
                .copied()
                .unwrap_or(0.0)
        };
        Self {
            calls: times.len() as u64,
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
            max: at(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_byte_is_seen_wherever_a_read_begins() {
        let mut all = Vec::new();
        for index in 0..100 {
            all.extend(word(7, index));
        }
        for from in [0, 1, 7, 8, 333] {
            assert!(is_right(7, from as u64, &all[from..]));
            let mut changed = all[from..].to_vec();
            changed[19] ^= 1;
            assert!(!is_right(7, from as u64, &changed));
        }
    }

    #[test]
    fn a_file_that_is_made_has_its_length_and_the_bytes_of_its_seed() {
        let path = std::env::temp_dir().join(format!("lomme-bench-{}", std::process::id()));
        for size in [0, 5, 16, (1 << 20) + 3] {
            make(&path, 9, size).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(bytes.len() as u64, size);
            assert!(is_right(9, 0, &bytes) && (size == 0 || !is_right(8, 0, &bytes)));
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_spread_is_read_from_sorted_times() {
        let spread = Spread::of((0..=100).rev().map(f64::from).collect());
        assert_eq!(
            (spread.p50, spread.p95, spread.p99, spread.max),
            (50.0, 95.0, 99.0, 100.0)
        );
    }
}
