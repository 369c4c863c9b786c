//! What is said to the sign-in server (protocol facts §1).

use super::Secret;
use crate::remote::Transport;
use crate::remote::transport::{Answer, safe_url};
use crate::{CancelToken, Error, Result};
use serde::Deserialize;
use std::time::Duration;

const MAX_BODY: usize = 64 * 1024;
/// For a whole request to the sign-in server. A refresh's lease lasts longer than two of them.
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(30);

/// Where to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Discovery {
    pub token_endpoint: String,
    pub authorization_endpoint: Option<String>,
}

/// Tokens, as given.
#[derive(Debug)]
pub(crate) struct Grant {
    pub access: Secret,
    pub refresh: Option<Secret>,
    pub lifetime_s: i64,
}

/// Why there are no tokens.
#[derive(Debug)]
pub(crate) enum NoGrant {
    /// `invalid_grant`: the code, password or refresh token is not good (any more).
    Refused { detail: String },
    /// No answer that tells, and the server may have done its work.
    Lost(Error),
    /// It certainly was not done.
    Failed(Error),
}

/// Reads the sign-in server's description at `link`. Its endpoints must be on the same host: whoever
/// serves the description gets the secrets anyway, but nobody else may.
pub(crate) async fn discover(
    transport: &Transport,
    link: &str,
    cancel: &CancelToken,
) -> Result<Discovery> {
    #[derive(Deserialize)]
    struct Described {
        token_endpoint: String,
        authorization_endpoint: Option<String>,
    }
    let mut answer = transport.get(link, None, None, cancel).await?;
    if answer.status != 200 {
        return Err(answer.refusal(cancel).await);
    }
    let body = answer.read(MAX_BODY, cancel).await?;
    let described: Described = serde_json::from_slice(&body)
        .map_err(|_| Error::bad_answer("a sign-in server without a description"))?;
    let origin = safe_url(link)?.origin();
    for endpoint in
        std::iter::once(&described.token_endpoint).chain(&described.authorization_endpoint)
    {
        let same = safe_url(endpoint).is_ok_and(|url| url.origin() == origin);
        if !same {
            return Err(Error::bad_answer("a sign-in server that sends elsewhere"));
        }
    }
    Ok(Discovery {
        token_endpoint: described.token_endpoint,
        authorization_endpoint: described.authorization_endpoint,
    })
}

/// Asks for tokens, once.
pub(crate) async fn ask(
    transport: &Transport,
    token_endpoint: &str,
    form: &[(&str, &str)],
    cancel: &CancelToken,
) -> Result<Grant, NoGrant> {
    let asked = async {
        let answer = transport
            .post_form(token_endpoint, form, cancel)
            .await
            .map_err(|failed| {
                if failed.maybe_done {
                    NoGrant::Lost(failed.error)
                } else {
                    NoGrant::Failed(failed.error)
                }
            })?;
        read(answer, cancel).await
    };
    match tokio::time::timeout(REQUEST_TIME, asked).await {
        Ok(grant) => grant,
        Err(_) => Err(NoGrant::Lost(Error::offline(
            "the sign-in server takes too long",
        ))),
    }
}

async fn read(mut answer: Answer, cancel: &CancelToken) -> Result<Grant, NoGrant> {
    #[derive(Deserialize)]
    struct Given {
        access_token: String,
        refresh_token: Option<String>,
        expires_in: Option<i64>,
    }
    let status = answer.status;
    if status != 200 {
        return Err(match status {
            400 | 401 => {
                let body = answer.read(MAX_BODY, cancel).await.map_err(NoGrant::Lost)?;
                refused(status, &body)
            }
            500..=599 => NoGrant::Lost(answer.refusal(cancel).await),
            _ => NoGrant::Failed(answer.refusal(cancel).await),
        });
    }
    let body = answer.read(MAX_BODY, cancel).await.map_err(NoGrant::Lost)?;
    let given: Given = serde_json::from_slice(&body)
        .map_err(|_| NoGrant::Lost(Error::bad_answer("tokens that cannot be read")))?;
    Ok(Grant {
        access: Secret::new(given.access_token),
        refresh: given.refresh_token.map(Secret::new),
        lifetime_s: given.expires_in.unwrap_or(3600),
    })
}

/// Only `invalid_grant` proves that the secret is bad; the description may quote anything, so it is dropped.
fn refused(status: u16, body: &[u8]) -> NoGrant {
    #[derive(Deserialize)]
    struct Told {
        error: String,
    }
    let told = serde_json::from_slice::<Told>(body).map(|told| told.error);
    match told.as_deref() {
        Ok("invalid_grant") => NoGrant::Refused {
            detail: "invalid_grant".into(),
        },
        Ok(other)
            if other.len() <= 40 && other.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') =>
        {
            NoGrant::Failed(Error::Refused {
                status,
                detail: other.to_owned(),
            })
        }
        _ => NoGrant::Failed(Error::bad_answer(format!(
            "a sign-in server's HTTP {status} without a reason"
        ))),
    }
}

impl NoGrant {
    /// For a sign-in that a person is waiting for.
    pub fn into_error(self) -> Error {
        match self {
            Self::Refused { detail } => Error::LoginRefused { detail },
            Self::Lost(error) | Self::Failed(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_invalid_grant_is_a_refusal() {
        assert!(matches!(
            refused(
                400,
                br#"{"error":"invalid_grant","error_description":"Stale token"}"#
            ),
            NoGrant::Refused { .. }
        ));
        for body in [
            &br#"{"error":"invalid_client"}"#[..],
            b"<html>",
            b"",
            br#"{"error":"a secret"}"#,
        ] {
            let failed = refused(401, body);
            assert!(matches!(failed, NoGrant::Failed(_)));
            assert!(!format!("{failed:?}").contains("secret"));
        }
    }
}
