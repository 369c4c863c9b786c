//! The model test of the camera backup: random lives of one phone and its owner, with kills, faults, lies of the service,
//! narrowed permissions, cards out and in, reinstalls and an operating system that sends what it was handed at any time,
//! from one number each. At the end everything must have come to rest: each content that is to be backed up is in the
//! cloud exactly once, unchanged, with a receipt, and nothing was deleted anywhere.
//!
//! See `tests/e2e/README.md` for how to replay a life and how to run many.
#![allow(clippy::unwrap_used, missing_docs)]

mod check;
mod life;
mod roll;

use lomme_e2e::lives::{self, Lives};

#[test]
fn whatever_happens_to_a_phone_each_photo_is_in_the_cloud_once() {
    let lives = Lives {
        test: "camera_model",
        filter: "whatever",
        live: life::live,
    };
    lives::live(lives, 1_000);
}
