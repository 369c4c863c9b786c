//! Change events over the service's websocket: hints, never truth.

use super::RemotePath;
use crate::{CancelToken, Result};

/// Something changed somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Where, as far as told: device, mount point and names. Empty for the whole account.
    pub paths: Vec<RemotePath>,
}

/// A subscription that runs.
pub(crate) struct Events {}

impl Events {
    /// The next event; `Offline` when the connection has ended.
    pub async fn next(&mut self, _cancel: &CancelToken) -> Result<Event> {
        todo!()
    }
}
