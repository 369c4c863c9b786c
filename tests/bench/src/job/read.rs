//! Reads a file as a player or an archive tool does.

use super::look_up;
use crate::content::{self, Spread};
use lomme::Drive;
use lomme::content::{Hint, Purpose};
use serde_json::{Value, json};
use std::time::Instant;

/// `pattern` is `random` (which the reader has to find out by itself) or `video` (which it is told).
pub fn run(drive: &Drive, pattern: &str, path: &str, count: u64, seed: u64) -> Value {
    let item = look_up(drive, path);
    let reader = drive
        .content()
        .open_reader(&item.id, None, Purpose::Stream)
        .unwrap();
    let size = reader.size();
    let pieces = match pattern {
        "video" => {
            reader.hint(Hint::Streaming);
            content::video(size, seed)
        }
        _ => content::random(size, count, seed),
    };
    let (mut firsts, mut asked) = (Vec::new(), 0);
    for piece in pieces {
        let start = Instant::now();
        let bytes = reader.read_at(piece.offset, piece.length).unwrap();
        if piece.jump {
            firsts.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        assert_eq!(bytes.len(), piece.length as usize);
        // The file is the first of its folder, so the cloud made it from 0.
        assert!(content::is_right(0, piece.offset, &bytes), "wrong bytes");
        asked += u64::from(piece.length);
    }
    reader.close();
    json!({"asked": asked, "first_byte": Spread::of(firsts)})
}
