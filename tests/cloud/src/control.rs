//! The control endpoints below `/_local/`.

use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;

use crate::body::Reply;
use crate::refusal::Refusal;
use crate::state::State;

/// Everything below `/_local/`.
pub async fn handle(
    _state: &Arc<State>,
    _request: Request<Incoming>,
    _scheme: &'static str,
) -> Result<Reply, Refusal> {
    Err(Refusal::not_found("no control endpoint yet"))
}
