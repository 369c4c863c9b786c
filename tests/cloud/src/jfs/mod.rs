//! JFS: the XML file system API (protocol facts §2 to §7).

mod bin;
mod command;
mod get;
mod list;
mod render;
mod thumb;
pub mod xml;

pub use bin::{Readable, content};
pub use render::mime;
pub use thumb::Thumbs;

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request};

use crate::body::Reply;
use crate::names::JfsPath;
use crate::refusal::Refusal;
use crate::state::State;
use crate::switches::Head;

/// The verbs of POST, as the query spells them.
const VERBS: [&str; 9] = [
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

/// The decoded path without `/jfs/<user>`, for plans.
pub fn plain_path(path: &str) -> String {
    let rest = path.strip_prefix("/jfs/").unwrap_or_default();
    let rest = rest.find('/').map_or("", |at| &rest[at..]);
    percent_encoding::percent_decode_str(rest)
        .decode_utf8_lossy()
        .into_owned()
}

/// One JFS request.
pub async fn handle(state: &Arc<State>, request: Request<Incoming>) -> Result<Reply, Refusal> {
    let path = path_of(state, request.uri().path())?;
    if state.account().read_locked {
        return Err(Refusal::new(
            403,
            "org.springframework.security.access.AccessDeniedException",
            "The account is locked",
        ));
    }
    let kind = kind_of(&request);
    let method = request.method().clone();
    match (method, kind) {
        (Method::HEAD, _) if state.switches().head == Head::Refused => Err(Refusal::new(
            405,
            "org.springframework.web.HttpRequestMethodNotSupportedException",
            "Request method 'HEAD' not supported",
        )),
        (Method::GET | Method::HEAD, "bin") => bin::bin(state, path, &request).await,
        (Method::GET | Method::HEAD, "thumb") => thumb::thumb(state, path, &request).await,
        (Method::GET | Method::HEAD, "liststream") => list::liststream(state, path).await,
        (Method::GET | Method::HEAD, "list") => list::list(state, path).await,
        (Method::GET, "enableShare") => get::share(state, path, true).await,
        (Method::GET, "disableShare") => get::share(state, path, false).await,
        (Method::GET | Method::HEAD, "get") => {
            let query = request.uri().query().unwrap_or_default().to_owned();
            get::get(state, path, query).await
        }
        (Method::POST, _) => {
            let bytes = request
                .headers()
                .get(CONTENT_TYPE)
                .is_some_and(|v| v.as_bytes().starts_with(b"application/octet-stream"));
            if bytes {
                // Taken for an upload; the verb is never reached.
                return Err(Refusal::new(
                    404,
                    "no.jotta.backup.errors.NoSuchFileException",
                    format!("File {} does not exist", path.absolute()),
                ));
            }
            command::command(state, path, kind, &request).await
        }
        _ => Err(Refusal::new(
            405,
            "org.springframework.web.HttpRequestMethodNotSupportedException",
            format!("Request method '{}' not supported", request.method()),
        )),
    }
}

/// Segments after the user, who must be this account's.
fn path_of(state: &State, raw: &str) -> Result<JfsPath, Refusal> {
    let rest = raw.strip_prefix("/jfs").unwrap_or_default();
    let path = JfsPath::decode(rest, &state.switches())?;
    let slash = path.slash;
    let mut segments = path.segments;
    if segments.is_empty() || rest.starts_with("//") {
        return Err(Refusal::new(
            400,
            "org.springframework.security.core.userdetails.UsernameNotFoundException",
            "Username not found in url!",
        ));
    }
    let user = segments.remove(0);
    if user.contains(' ') {
        return Err(Refusal::new(
            400,
            "java.lang.IllegalArgumentException",
            format!("Unable to validate decoded path: /{user}"),
        ));
    }
    if user != state.user {
        return Err(Refusal::new(
            403,
            "org.springframework.security.access.AccessDeniedException",
            "Access is denied",
        ));
    }
    Ok(JfsPath { segments, slash })
}
