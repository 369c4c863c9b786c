//! Content to the service: announced first (`allocate`), then sent from where the service says (protocol facts §5.1, §5.2).
//!
//! - What the service has already, by MD5 and size, is not sent.
//! - An upload's address comes from the service, and a token goes there: only to its own hosts, over TLS.
//! - A body is streamed in small pieces; an upload ends on silence, never by its whole time.
//! - Nothing is sent again by itself. Who sent a part announces again, and believes the position that is told then.

use super::write::Adds;
use super::{ContentFacts, MAX_JSON, Remote, RemotePath, names, times};
use crate::remote::transport::{NoAnswer, safe_url};
use crate::{CancelToken, Error, Result};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RANGE};
use reqwest::{Body, Method};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What the service makes of an announcement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Allocated {
    /// It has the content already: the file is there.
    Done,
    /// It wants the bytes from a position on.
    Send { url: UploadUrl, resume_at: u64 },
}

/// Where to send to. Whoever has it may, perhaps, send too.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UploadUrl(String);

impl std::fmt::Debug for UploadUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UploadUrl")
    }
}

/// How sending ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The service has all of it; what it says that it has.
    Done {
        size: Option<u64>,
        md5: Option<[u8; 16]>,
    },
    /// The service has a part: announce again.
    Incomplete,
}

#[derive(Serialize)]
struct Announcement<'a> {
    path: String,
    bytes: u64,
    md5: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict_handler: Option<&'a str>,
}

#[derive(Deserialize)]
struct AllocatedJson {
    state: String,
    upload_url: Option<String>,
    resume_pos: Option<u64>,
}

#[derive(Default, Deserialize)]
struct UploadedJson {
    bytes: Option<u64>,
    md5: Option<String>,
}

impl Remote {
    /// Announces a content for a path; missing folders above are made. With `only_new`, `NameTaken` if something is there.
    /// An old content of the path becomes a version, else.
    pub async fn allocate(
        &self,
        path: &RemotePath,
        facts: &ContentFacts,
        only_new: bool,
        cancel: &CancelToken,
    ) -> Result<Allocated> {
        let mut place = "/jfs".to_owned();
        for name in path.segments() {
            names::check(name).map_err(|_| Error::invalid("a path with an impossible name"))?;
            place.push('/');
            place.push_str(name);
        }
        let announcement = Announcement {
            path: place,
            bytes: facts.size,
            md5: facts.md5_hex(),
            created: facts.created_ms.and_then(times::rfc3339),
            modified: facts.modified_ms.and_then(times::rfc3339),
            conflict_handler: only_new.then_some("REJECT_CONFLICTS"),
        };
        let text = serde_json::to_vec(&announcement).map_err(|_| Error::bug("an announcement"))?;
        let url = format!("{}files/v1/allocate", self.tokens.endpoints()?.api);
        let json = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let mut answer = self.post(&url, &json, &text.into(), cancel).await?;
        if !matches!(answer.status, 200 | 201) {
            let refused = self.refused(answer, Adds::Bytes(facts.size), cancel).await;
            return Err(match refused {
                // Names that the service does not like get a bare 400 here (JCLI-#90).
                Error::Refused {
                    status: 400,
                    detail,
                } => Error::NameRefused { detail },
                other => other,
            });
        }
        let body = answer.read(MAX_JSON, cancel).await?;
        self.allocated(&body, facts.size)
    }

    fn allocated(&self, body: &[u8], size: u64) -> Result<Allocated> {
        let told: AllocatedJson = serde_json::from_slice(body)
            .map_err(|_| Error::bad_answer("an allocation that is not JSON"))?;
        if told.state.eq_ignore_ascii_case("COMPLETED") {
            return Ok(Allocated::Done);
        }
        let Some(text) = told.upload_url else {
            return Err(Error::bad_answer("an allocation without an address"));
        };
        let foreign = || Error::bad_answer("an upload to a host that is not the service's");
        let url = safe_url(&text).map_err(|_| foreign())?;
        if !self.tokens.endpoints()?.may_take_uploads(&url) {
            return Err(foreign());
        }
        let resume_at = match told.resume_pos.unwrap_or(0) {
            at if at > size => {
                return Err(Error::bad_answer("a position behind the end of a file"));
            }
            // There is no way to send nothing: all of it again.
            at if at == size => 0,
            at => at,
        };
        Ok(Allocated::Send {
            url: UploadUrl(text),
            resume_at,
        })
    }

    /// Sends the bytes from `resume_at` on; `body` must give `size - resume_at` of them, in small pieces. An error of
    /// `body` ends the upload and comes back as it is. `moved` is told how many bytes each piece has, as it leaves.
    ///
    /// Errors: `ContentMismatch` when the service got other bytes than were announced, `ServerBusy` and `Offline` when it
    /// is to be announced again.
    pub async fn upload<S>(
        &self,
        url: &UploadUrl,
        resume_at: u64,
        size: u64,
        body: S,
        moved: impl Fn(u64) + Send + 'static,
        cancel: &CancelToken,
    ) -> Result<Sent>
    where
        S: Stream<Item = Result<Bytes>> + Send + 'static,
    {
        let token = self.tokens.access_token(None, cancel).await?;
        let mut request = self
            .transport
            .request(Method::POST, &url.0, Some(&token), None)?;
        let mut put = |name: HeaderName, value: &str| -> Result<()> {
            let value = HeaderValue::from_str(value).map_err(|_| Error::bug("a header"))?;
            request.headers_mut().insert(name, value);
            Ok(())
        };
        put(CONTENT_TYPE, "application/octet-stream")?;
        put(CONTENT_LENGTH, &(size - resume_at).to_string())?;
        if resume_at > 0 {
            put(
                RANGE,
                &format!("bytes={resume_at}-{}", size.saturating_sub(1)),
            )?;
        }
        let (pieces, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(None)));
        let (count, keep) = (pieces.clone(), failed.clone());
        let body = body.map(move |piece| {
            count.fetch_add(1, Ordering::Relaxed);
            match &piece {
                Ok(bytes) => moved(bytes.len() as u64),
                Err(error) => {
                    *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                }
            }
            piece
        });
        *request.body_mut() = Some(Body::wrap_stream(body));
        let stall = self.transport.patience().stall;
        let silence = async {
            let mut seen = pieces.load(Ordering::Relaxed);
            loop {
                tokio::time::sleep(stall).await;
                let now = pieces.load(Ordering::Relaxed);
                if now == seen {
                    return Error::offline("the upload stalled");
                }
                seen = now;
            }
        };
        let sent = self.transport.send_unless(request, silence, cancel).await;
        let own = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(error) = own {
            return Err(error);
        }
        let mut answer = sent.map_err(|failed: NoAnswer| failed.error)?;
        match answer.status {
            200 | 201 => {
                let body = answer.read(MAX_JSON, cancel).await?;
                // Without words it may have all the same: whoever asked looks at the file next.
                let told: UploadedJson = serde_json::from_slice(&body).unwrap_or_default();
                Ok(Sent::Done {
                    size: told.bytes,
                    md5: told.md5.as_deref().and_then(super::document::md5),
                })
            }
            420 => Ok(Sent::Incomplete),
            401 => {
                self.tokens.access_token(Some(&token), cancel).await?;
                Err(Error::ServerBusy {
                    status: 401,
                    retry_after: Some(std::time::Duration::ZERO),
                })
            }
            // The address is used up; the file is not what is missing.
            404 | 410 => Err(Error::ServerBusy {
                status: answer.status,
                retry_after: Some(std::time::Duration::ZERO),
            }),
            _ => {
                let adds = Adds::Bytes(size - resume_at);
                Err(self.refused(answer, adds, cancel).await)
            }
        }
    }
}
