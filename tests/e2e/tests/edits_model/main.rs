//! The model test of the changes: random lives of two phones and a computer of one account, with kills, faults and clock
//! jumps, from one number each. At the end of a life everything must have come to rest, and nothing may be lost.
//!
//! See `tests/e2e/README.md` for how to replay a life and how to run many.
#![allow(clippy::unwrap_used, missing_docs)]

mod check;
mod life;
mod phone;
mod saved;
mod writers;

use life::Sort;
use lomme_e2e::lives::{self, Lives};

#[test]
fn what_is_wished_and_given_up_leaves_the_phones_showing_what_there_is() {
    let lives = Lives {
        test: "edits_model",
        filter: "what_is",
        live: |seed, loud| life::live(seed, Sort::Wishes, loud),
    };
    lives::live(lives, 500);
}

#[test]
fn whatever_happens_to_two_phones_and_a_computer_no_saved_byte_is_lost() {
    let lives = Lives {
        test: "edits_model",
        filter: "whatever",
        live: |seed, loud| life::live(seed, Sort::Whatever, loud),
    };
    lives::live(lives, 2_010);
}
