//! `files/v1`: allocate, upload, purge_trash (protocol facts §5, §6.6).

use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;

use crate::body::Reply;
use crate::refusal::Refusal;
use crate::state::State;
use crate::trouble::Plan;

/// What the request is counted as.
pub fn kind_of(path: &str) -> &'static str {
    match path.strip_prefix("/files/v1/") {
        Some("allocate") => "allocate",
        Some("purge_trash") => "purge_trash",
        Some(rest) if rest.starts_with("upload/") => "upload",
        _ => "other",
    }
}

/// One request.
pub async fn handle(
    _state: &Arc<State>,
    _request: Request<Incoming>,
    _scheme: &'static str,
    _plan: &Plan,
) -> Result<Reply, Refusal> {
    Err(Refusal::not_found("not there yet"))
}
