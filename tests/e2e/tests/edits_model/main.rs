//! The model test of the changes: random lives of two phones and a computer of one account, with kills, faults and clock
//! jumps, from one number each. At the end of a life everything must have come to rest, and nothing may be lost.
//!
//! See `tests/e2e/README.md` for how to replay a life and how to run many.
#![allow(clippy::unwrap_used, missing_docs)]

mod check;
mod faults;
mod life;
mod many;
mod phone;
mod saved;
mod writers;

use life::Sort;

#[test]
fn what_is_wished_and_given_up_leaves_the_phones_showing_what_there_is() {
    many::live(Sort::Wishes, 500);
}

#[test]
fn whatever_happens_to_two_phones_and_a_computer_no_saved_byte_is_lost() {
    many::live(Sort::Whatever, 2_010);
}
