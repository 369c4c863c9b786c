//! Public links: `/opin/io/downloadPublic/<user>/<publicURI>`, without a token. Folders (which the service sends as a
//! zip) are refused.

use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;

use crate::body::Reply;
use crate::refusal::Refusal;
use crate::state::State;

/// One request.
pub async fn handle(_state: &Arc<State>, _request: Request<Incoming>) -> Result<Reply, Refusal> {
    Err(Refusal::not_found("not there yet"))
}
