//! The camera backup: what an app tells it, what it tells an app.

mod offers;
mod proofs;
mod reports;
mod work;

pub use offers::*;
pub use proofs::*;
pub use reports::*;
pub use work::*;
