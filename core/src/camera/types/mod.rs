//! What a platform and an app tell the camera backup, and what it tells them.

mod offers;
mod proofs;
mod work;

use crate::{Error, Result};
pub use offers::*;
pub use proofs::*;
pub use work::*;

pub(in crate::camera) fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::bug("a value of the camera"))
}
