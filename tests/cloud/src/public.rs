//! Public links: `/opin/io/downloadPublic/<user>/<publicURI>`, without a token. Folders (which the service sends as a
//! zip) are refused.

use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;

use crate::body::Reply;
use crate::jfs::{Readable, content};
use crate::refusal::Refusal;
use crate::state::State;

fn unknown() -> Refusal {
    Refusal::not_found("No such link")
}

/// One request.
pub async fn handle(state: &Arc<State>, request: Request<Incoming>) -> Result<Reply, Refusal> {
    let path = request.uri().path().to_owned();
    let rest = path.strip_prefix("/opin/io/").unwrap_or_default();
    let ["downloadPublic" | "streamPublic", user, link] = rest.split('/').collect::<Vec<_>>()[..]
    else {
        return Err(unknown());
    };
    if user != state.user {
        return Err(unknown());
    }
    let link = link.to_owned();
    let readable = state
        .on_tree(move |tree| {
            tree.read(|view| match view.linked(&link)? {
                Some(node) => Readable::of(view, &node),
                None => Ok(None),
            })
        })
        .await?
        .ok_or_else(unknown)?;
    content(state, readable, &request, "public")
}
