//! `POST <upload_url>`: bytes go to disk as they come; what came stays when the connection breaks (§5.2).

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::RANGE;
use md5::{Digest, Md5};

use super::turns::Turn;
use crate::blobs::hex;
use crate::body::{Reply, json, no_answer};
use crate::refusal::Refusal;
use crate::state::State;
use crate::switches::{CorruptStatus, PartialUpload, UploadUrl};
use crate::tree::{Revision, TreeError, Upload};

/// Bytes gathered before they are written by a thread that may block.
const GATHER: usize = 1024 * 1024;

struct Sink {
    turn: Turn,
    file: File,
    md5: Md5,
    position: u64,
}

impl Sink {
    fn write(&mut self, chunks: &[Bytes]) -> Result<(), TreeError> {
        let Self {
            turn,
            file,
            md5,
            position,
        } = self;
        let written = turn.work(|| {
            for chunk in chunks {
                file.write_all(chunk)?;
                md5.update(chunk);
                *position += chunk.len() as u64;
            }
            Ok(())
        });
        written.unwrap_or_else(|| Err(superseded()))
    }
}

fn superseded() -> TreeError {
    Refusal::new(
        409,
        "ConflictOpenApiException",
        "another connection sends this upload",
    )
    .into()
}

fn unknown() -> Refusal {
    Refusal::new(404, "NotFoundOpenApiException", "No such upload")
}

fn start_of(header: &str) -> Option<u64> {
    let (first, _) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    first.trim().parse().ok()
}

pub async fn upload(
    state: &Arc<State>,
    request: Request<Incoming>,
    cut_after: Option<u64>,
) -> Result<Reply, Refusal> {
    let id = request
        .uri()
        .path()
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let start = match request.headers().get(RANGE) {
        Some(value) => value
            .to_str()
            .ok()
            .and_then(start_of)
            .ok_or_else(|| Refusal::invalid("bad range"))?,
        None => 0,
    };
    let (upload, sink) = open(state, &id, start).await?;
    let (sink, broken) = receive(state, request.into_body(), &upload, sink, cut_after).await?;
    if broken {
        let work = state.clone();
        state
            .blocking(move || {
                let progress = || {
                    work.tree
                        .write(|view| view.upload_progress(&id, &upload, sink.position))
                };
                sink.turn
                    .work(progress)
                    .unwrap_or_else(|| Err(superseded()))
            })
            .await?;
        return Ok(no_answer());
    }
    finish(state, id, upload, sink).await
}

/// Writes what comes, and says whether the connection broke (or was to break, after `cut_after` bytes).
async fn receive(
    state: &Arc<State>,
    mut body: Incoming,
    upload: &Upload,
    mut sink: Sink,
    cut_after: Option<u64>,
) -> Result<(Sink, bool), Refusal> {
    let mut left = cut_after.unwrap_or(u64::MAX);
    loop {
        let mut gathered: Vec<Bytes> = Vec::new();
        let mut weight = 0;
        let mut ended = false;
        let mut broken = false;
        while weight < GATHER && !ended && !broken {
            match body.frame().await {
                Some(Ok(frame)) => {
                    let Ok(mut data) = frame.into_data() else {
                        continue;
                    };
                    if data.len() as u64 >= left {
                        data.truncate(left as usize);
                        broken = true;
                    }
                    left -= data.len() as u64;
                    weight += data.len();
                    gathered.push(data);
                }
                Some(Err(_)) => broken = true,
                None => ended = true,
            }
        }
        if sink.position + weight as u64 > upload.size {
            return Err(Refusal::invalid("more bytes than were allocated"));
        }
        state.counts.received(weight as u64);
        sink = state
            .blocking(move || {
                sink.write(&gathered)?;
                Ok(sink)
            })
            .await?;
        if ended || broken {
            return Ok((sink, broken));
        }
    }
}

/// The upload and where its bytes go on; what is on disk beyond `start` is sent again.
async fn open(state: &Arc<State>, id: &str, start: u64) -> Result<(Upload, Sink), Refusal> {
    let work = state.clone();
    let id = id.to_owned();
    state
        .blocking(move || {
            let upload = work
                .tree
                .read(|view| view.upload(&id))?
                .ok_or_else(unknown)?;
            let switches = work.switches();
            if upload.url_used && switches.upload_url == UploadUrl::Once {
                return Err(unknown().into());
            }
            let kept = match switches.partial_upload {
                PartialUpload::Kept => work.blobs.received(&id),
                PartialUpload::Gone => 0,
            };
            if start > kept {
                return Err(Refusal::new(
                    416,
                    "RangeNotSatisfiableOpenApiException",
                    format!("only {kept} bytes are there"),
                )
                .into());
            }
            let turn = work.turns.take(&id);
            let (file, md5) = work.blobs.resume(&id, start)?;
            Ok((
                upload,
                Sink {
                    turn,
                    file,
                    md5,
                    position: start,
                },
            ))
        })
        .await
}

async fn finish(
    state: &Arc<State>,
    id: String,
    upload: Upload,
    sink: Sink,
) -> Result<Reply, Refusal> {
    let work = state.clone();
    let revision = state
        .blocking(move || {
            let Sink {
                turn,
                file,
                md5,
                position,
            } = sink;
            drop(file);
            turn.work(|| settle(&work, &id, &upload, position, md5))
                .unwrap_or_else(|| Err(superseded()))
        })
        .await?;
    Ok(json(
        200,
        &serde_json::json!({
            "path": "",
            "content_id": format!("{:032x}", revision.blob.unwrap_or_default()),
            "bytes": revision.size,
            "md5": revision.md5,
            "modified": revision.modified,
        }),
    ))
}

/// All bytes that came are on disk: they are a part, the wrong ones, or the file's.
fn settle(
    state: &State,
    id: &str,
    upload: &Upload,
    received: u64,
    md5: Md5,
) -> Result<Revision, TreeError> {
    if received < upload.size {
        state
            .tree
            .write(|view| view.upload_progress(id, upload, received))?;
        return Err(incomplete(received, upload.size));
    }
    if hex(&md5.finalize()) != upload.md5 {
        state.blobs.forget(id)?;
        state.tree.write(|view| view.upload_corrupt(id, upload))?;
        return Err(corrupt(state));
    }
    state.blobs.keep(id, &upload.md5, upload.size)?;
    let (_, revision) = state.tree.write(|view| view.upload_done(id, upload))?;
    Ok(revision)
}

fn incomplete(received: u64, size: u64) -> TreeError {
    Refusal::new(
        420,
        "IncompleteUploadOpenApiException",
        format!("received {received} of {size} bytes"),
    )
    .into()
}

fn corrupt(state: &State) -> TreeError {
    let status = match state.switches().corrupt_status {
        CorruptStatus::Misdirected => 421,
        CorruptStatus::BadRequest => 400,
        CorruptStatus::Unprocessable => 422,
    };
    Refusal::new(
        status,
        "CorruptUploadOpenApiException",
        "md5 of the received bytes differs",
    )
    .into()
}
