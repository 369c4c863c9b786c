//! HTTP.

use crate::Result;

/// The HTTP client. Cheap to clone; clones share connections.
#[derive(Clone)]
pub(crate) struct Transport {}

#[allow(clippy::todo, unused_variables)]
impl Transport {
    pub fn new(extra_roots_pem: Option<&str>) -> Result<Self> {
        todo!()
    }
}
