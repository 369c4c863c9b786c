//! JFS: the XML file system API (protocol facts §2 to §7).

pub mod xml;

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request};

use crate::body::Reply;
use crate::refusal::Refusal;
use crate::state::State;
use crate::trouble::Plan;

/// The verbs of POST, as the query spells them.
pub const VERBS: [&str; 9] = [
    "cphash", "mkDir", "mv", "mvDir", "cp", "dl", "dlDir", "rm", "rmDir",
];

fn has(query: &str, key: &str) -> bool {
    query
        .split('&')
        .any(|pair| pair.split('=').next() == Some(key))
}

/// What the request is counted as.
pub fn kind_of<B>(request: &Request<B>) -> &'static str {
    let query = request.uri().query().unwrap_or_default();
    if request.method() == Method::POST {
        return VERBS
            .into_iter()
            .find(|verb| has(query, verb))
            .unwrap_or("post");
    }
    let mode = query.split('&').find_map(|pair| pair.strip_prefix("mode="));
    match mode {
        Some("bin") => "bin",
        Some("thumb") => "thumb",
        Some("list") => "list",
        Some("liststream") => "liststream",
        Some("enableShare") => "enableShare",
        Some("disableShare") => "disableShare",
        _ => "get",
    }
}

/// The decoded path without `/jfs/<user>`, for plans and counts.
pub fn plain_path(path: &str) -> String {
    let rest = path.strip_prefix("/jfs/").unwrap_or_default();
    let rest = rest.find('/').map_or("", |at| &rest[at..]);
    percent_encoding::percent_decode_str(rest)
        .decode_utf8_lossy()
        .into_owned()
}

/// One JFS request.
pub async fn handle(
    _state: &Arc<State>,
    _request: Request<Incoming>,
    _plan: &Plan,
) -> Result<Reply, Refusal> {
    Err(Refusal::not_found("not there yet"))
}
