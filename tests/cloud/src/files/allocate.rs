//! `POST files/v1/allocate`.

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::HOST;
use serde::Deserialize;

use super::{md5_of, usage_before, within_quota};
use crate::body::{Reply, json};
use crate::names::JfsPath;
use crate::refusal::Refusal;
use crate::state::State;
use crate::switches::{CompletedUrl, Percent, Switches};
use crate::times;
use crate::tree::{RevisionState, Sent};

const LONGEST_REQUEST: usize = 1024 * 1024;

#[derive(Deserialize)]
struct Asked {
    path: String,
    bytes: i64,
    #[serde(default)]
    md5: String,
    created: Option<Time>,
    modified: Option<Time>,
    conflict_handler: Option<String>,
}

/// RFC 3339, JFS's own form, or milliseconds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Text(String),
    Millis(i64),
}

impl Time {
    fn read(time: Option<&Self>, now: i64) -> i64 {
        match time {
            Some(Self::Millis(ms)) => *ms,
            Some(Self::Text(text)) => times::parse(text).unwrap_or(now),
            None => now,
        }
    }
}

/// The path of an allocate: `/jfs/<device>/<mountpoint>/...`, or the older `<mountpoint>/...` of Jotta.
fn path_of(text: &str, switches: &Switches) -> Result<JfsPath, Refusal> {
    let path = match text.strip_prefix("/jfs/") {
        Some(rest) => JfsPath::plain(rest),
        None => JfsPath::plain(&format!("Jotta/{text}")),
    };
    if switches.percent == Percent::Refused && path.segments.iter().any(|s| s.contains('%')) {
        return Err(Refusal::plain_bad_request());
    }
    if path.slash || path.segments.len() < 3 {
        return Err(Refusal::invalid(format!("{text} is not a file's path")));
    }
    Ok(path)
}

pub async fn allocate(
    state: &Arc<State>,
    request: Request<Incoming>,
    scheme: &'static str,
) -> Result<Reply, Refusal> {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|h| h.to_str().ok())
        .unwrap_or("localhost")
        .to_owned();
    let body = Limited::new(request.into_body(), LONGEST_REQUEST)
        .collect()
        .await
        .map_err(|_| Refusal::invalid("the request broke off"))?
        .to_bytes();
    let asked: Asked =
        serde_json::from_slice(&body).map_err(|e| Refusal::invalid(format!("bad JSON: {e}")))?;
    let path = path_of(&asked.path, &state.switches())?;
    let now = times::now();
    let sent = Sent {
        md5: md5_of(&asked.md5)?,
        size: u64::try_from(asked.bytes).map_err(|_| Refusal::invalid("bytes is negative"))?,
        created: Time::read(asked.created.as_ref(), now),
        modified: Time::read(asked.modified.as_ref(), now),
    };
    let reject = match asked.conflict_handler.as_deref() {
        None | Some("CREATE_NEW_REVISION") => false,
        Some("REJECT_CONFLICTS") => true,
        Some(other) => {
            return Err(Refusal::invalid(format!("no conflict handler {other}")));
        }
    };
    let account = state.account();
    let work = state.clone();
    let size = sent.size;
    let (allocated, name, resume_pos) = state
        .blocking(move || {
            let allocated = work.tree.write(|view| {
                let before = usage_before(view, &account)?;
                let allocated = view.allocate(&path, &sent, reject)?;
                let pending = match allocated.state {
                    RevisionState::Completed => 0,
                    _ => sent.size,
                };
                within_quota(view, &account, before, pending)?;
                Ok(allocated)
            })?;
            let resume_pos = if allocated.resumed {
                work.blobs.received(&allocated.upload)
            } else {
                0
            };
            let name = allocated.node.name.clone();
            Ok((allocated, name, resume_pos))
        })
        .await?;
    let mut answer = serde_json::json!({
        "name": name,
        "path": asked.path,
        "state": allocated.state.text(),
        "upload_id": allocated.upload,
        "bytes": size,
        "resume_pos": resume_pos,
    });
    let done = allocated.state == RevisionState::Completed;
    if done {
        answer["resume_pos"] = size.into();
    }
    if !done || state.switches().completed_url == CompletedUrl::Present {
        answer["upload_url"] =
            format!("{scheme}://{host}/files/v1/upload/{}", allocated.upload).into();
    }
    Ok(json(200, &answer))
}
