//! How far a reader reads ahead.
//!
//! Who reads from front to back gets a window that begins small and doubles with each step, so that a look at the start of a
//! film costs little and playing it never waits. Who reads here and there gets what was asked for and nothing else.

use super::Hint;
use std::ops::Range;

/// The first window, in bytes.
const FIRST: u64 = 256 << 10;
/// Reads that follow each other before it is believed that more will, if nobody has said so.
const STREAK: u32 = 2;
/// How far a read may be from where it was expected: several threads do not come in order.
const NEAR: u64 = 128 << 10;

/// The reads of one reader.
#[derive(Debug)]
pub(super) struct Ahead {
    hint: Hint,
    most: u64,
    window: u64,
    expected: u64,
    streak: u32,
    /// Up to where was asked for.
    asked: u64,
}

/// What a read leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// It was somewhere else: what was asked for ahead is of no use.
    pub jumped: bool,
    /// Bytes beyond the read that should be asked for now.
    pub more: Range<u64>,
}

impl Ahead {
    /// `most` is the largest window.
    pub fn new(most: u64) -> Self {
        Self {
            hint: Hint::Unknown,
            most,
            window: FIRST,
            expected: u64::MAX,
            streak: 0,
            asked: 0,
        }
    }

    pub fn hint(&mut self, hint: Hint) {
        self.hint = hint;
    }

    pub fn is_playing(&self) -> bool {
        self.hint == Hint::Streaming
    }

    /// A read of `len` bytes at `offset`.
    pub fn read(&mut self, offset: u64, len: u64) -> Step {
        let end = offset + len;
        let follows = offset.abs_diff(self.expected) <= NEAR;
        if follows {
            self.streak = self.streak.saturating_add(1);
            self.expected = self.expected.max(end);
        } else {
            (self.streak, self.window) = (0, FIRST);
            (self.expected, self.asked) = (end, end);
        }
        let reads_on = match self.hint {
            Hint::Random => false,
            Hint::Sequential | Hint::Streaming => true,
            Hint::Unknown => self.streak >= STREAK,
        };
        let from = self.asked.max(end);
        let mut more = from..from;
        if reads_on && from - end <= self.window / 2 {
            more.end = end + self.window;
            self.asked = more.end;
            self.window = (self.window * 2).min(self.most);
        }
        Step {
            jumped: !follows,
            more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;

    #[test]
    fn who_reads_on_gets_a_window_that_doubles_up_to_its_limit() {
        let mut ahead = Ahead::new(1024 * KIB);
        let mut windows = Vec::new();
        for n in 0..200 {
            let more = ahead.read(n * 64 * KIB, 64 * KIB).more;
            if !more.is_empty() {
                assert!(
                    more.start >= (n + 1) * 64 * KIB,
                    "nothing is asked for twice"
                );
                windows.push((more.end - (n + 1) * 64 * KIB) / KIB);
            }
            assert!(ahead.asked >= (n + 1) * 64 * KIB || n < 2);
        }
        assert_eq!(windows[..4], [256, 512, 1024, 1024]);
        assert!(windows.iter().all(|window| *window <= 1024));
    }

    #[test]
    fn who_reads_here_and_there_gets_nothing_else() {
        let mut ahead = Ahead::new(1024 * KIB);
        for n in 0..200 {
            let step = ahead.read((n * 7919 % 4093) * 1024 * KIB, 64 * KIB);
            assert!(step.jumped && step.more.is_empty());
        }
        ahead.hint(Hint::Random);
        for n in 0..9 {
            assert!(ahead.read(n * 64 * KIB, 64 * KIB).more.is_empty());
        }
    }

    #[test]
    fn who_says_so_gets_it_from_the_first_read_and_again_small_after_a_jump() {
        let mut ahead = Ahead::new(4096 * KIB);
        ahead.hint(Hint::Streaming);
        assert_eq!(ahead.read(0, 64 * KIB).more, 64 * KIB..320 * KIB);
        for n in 1..100 {
            ahead.read(n * 64 * KIB, 64 * KIB);
        }
        let far = 1 << 40;
        let step = ahead.read(far, 64 * KIB);
        assert!(step.jumped);
        assert_eq!(step.more, far + 64 * KIB..far + 320 * KIB);
    }

    #[test]
    fn reads_that_come_a_little_out_of_order_are_no_jump() {
        let mut ahead = Ahead::new(1024 * KIB);
        for n in [0, 2, 1, 4, 3, 5] {
            let step = ahead.read(n * 64 * KIB, 64 * KIB);
            assert!(n == 0 || !step.jumped, "{n}");
        }
    }
}
