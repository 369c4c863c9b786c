//! Content to the service: announced first (`allocate`), then sent from where the service says (protocol facts §5.1, §5.2).
//!
//! - What the service has already, by MD5 and size, is not sent.
//! - An upload's address comes from the service, and a token goes there: only to its own hosts, over TLS.
//! - A body is streamed in small pieces; an upload ends on silence, never by its whole time.
//! - An announcement is no more twice than once, so it is sent until there is an answer. Bytes never are: who sent a
//!   part announces again, and believes the position that is told then.

use super::write::Adds;
use super::{ContentFacts, MAX_JSON, Remote, RemotePath, names, times};
use crate::remote::transport::{Again, NoAnswer, safe_url};
use crate::{CancelToken, Error, Result};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RANGE};
use reqwest::{Body, Method};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

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
    /// The service has not all of it, and may take no more at this address: announce again.
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
        let mut answer = self
            .post(&url, &json, &text.into(), Again::Unanswered, cancel)
            .await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(self.refused(answer, Adds::Bytes(facts.size), cancel).await);
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

    /// The address and the headers of an upload that somebody else sends. Both hold secrets.
    pub async fn hand_out(
        &self,
        url: &UploadUrl,
        resume_at: u64,
        size: u64,
        cancel: &CancelToken,
    ) -> Result<(String, Vec<(String, String)>)> {
        let token = self.tokens.access_token(None, cancel).await?;
        let mut headers = vec![
            (
                "Authorization".to_owned(),
                format!("Bearer {}", token.reveal()),
            ),
            (
                "Content-Type".to_owned(),
                "application/octet-stream".to_owned(),
            ),
        ];
        if resume_at > 0 {
            let range = format!("bytes={resume_at}-{}", size.saturating_sub(1));
            headers.push(("Range".to_owned(), range));
        }
        Ok((url.0.clone(), headers))
    }

    /// Sends the bytes from `resume_at` on; `body` must give `size - resume_at` of them, in small pieces. An error of
    /// `body` ends the upload and comes back as it is. `moved` is told how many bytes each piece has, as it leaves.
    ///
    /// The upload ends when nothing moves for as long as an answer may stall, and after its last piece when no answer
    /// comes while the buffers may still drain.
    ///
    /// Errors: `ContentMismatch` when the service got other bytes than were announced, `NameTaken`, `Offline` when it is to
    /// be announced again.
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
        let left = size
            .checked_sub(resume_at)
            .ok_or_else(|| Error::bug("an upload from behind its end"))?;
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
        put(CONTENT_LENGTH, &left.to_string())?;
        if resume_at > 0 {
            put(
                RANGE,
                &format!("bytes={resume_at}-{}", size.saturating_sub(1)),
            )?;
        }
        let (gone, mut seen) = watch::channel(0);
        let failed = Arc::new(Mutex::new(None));
        let keep = failed.clone();
        let body = body.inspect(move |piece| match piece {
            Ok(bytes) => {
                moved(bytes.len() as u64);
                gone.send_modify(|gone| *gone += bytes.len() as u64);
            }
            Err(error) => {
                *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
            }
        });
        *request.body_mut() = Some(Body::wrap_stream(body));
        let patience = self.transport.patience();
        let silence = async {
            while *seen.borrow_and_update() < left {
                match timeout(patience.stall, seen.changed()).await {
                    Ok(Ok(())) => {}
                    // The connection takes no more, so there will be an answer, or it breaks.
                    Ok(Err(_)) => break,
                    Err(_) => return Error::offline("the upload stalled"),
                }
            }
            sleep(patience.drain).await;
            Error::offline("no answer to an upload")
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
            401 => {
                self.tokens.access_token(Some(&token), cancel).await?;
                Ok(Sent::Incomplete)
            }
            status => {
                let told = answer.refusal(cancel).await;
                match (status, told) {
                    // In the service's words it is about the file, whatever the status.
                    (
                        _,
                        told
                        @ (Error::NameTaken | Error::ContentMismatch { .. } | Error::Cancelled),
                    ) => Err(told),
                    // A part has come; or the address is used up, somebody else uses it, or the position was wrong. The
                    // file is not what is missing.
                    (404 | 409 | 410 | 416 | 420, _) => Ok(Sent::Incomplete),
                    // Other bytes than announced, as the vendor's client has shown it (protocol facts §5.2).
                    (421, _) => Err(Error::ContentMismatch {
                        detail: "HTTP 421 to an upload".into(),
                    }),
                    (_, told) => {
                        let adds = Adds::Bytes(left);
                        Err(self.explained(told, status, adds, cancel).await)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "upload_tests.rs"]
mod tests;
