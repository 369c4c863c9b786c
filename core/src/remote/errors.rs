//! What a refusal of the service means.
//!
//! Only the status and the error's class name go into our errors: the service's messages hold paths.

use super::xml::{Handler, Tag, read_whole};
use crate::{Error, Result};
use serde::Deserialize;
use std::time::Duration;

/// The most that is read of an error's body.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// The service's own words, when the body has them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Words {
    code: Option<u16>,
    class: Option<String>,
    /// The message is about names, not about this one's place.
    of_names: bool,
    /// There is neither a class nor a message that says more than the status.
    nothing: bool,
}

/// What the service says to names that are too long, and to paths that it cannot read (protocol facts §10.3).
const OF_NAMES: [&str; 2] = ["file names may not", "Unable to validate decoded path"];

/// The error for an answer that is no success. `body` may be anything.
pub(crate) fn refusal(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Error {
    let words = words(body);
    let class = words.as_ref().and_then(|w| w.class.clone());
    match class.as_deref() {
        // Under statuses that no client has told (protocol facts §13.7), so the class alone counts.
        Some("UniqueFileException") => return Error::NameTaken,
        Some("CorruptUploadOpenApiException") => {
            return Error::ContentMismatch {
                detail: "other bytes came than were announced".into(),
            };
        }
        _ => {}
    }
    let detail = class.unwrap_or_else(|| "no reason given".into());
    match status {
        // A 404 that is not in the service's words may come from a proxy: it proves nothing.
        404 if words.is_some_and(|w| w.code == Some(404)) => Error::NoSuchItem { detail },
        404 => Error::bad_answer("HTTP 404 from something that is not the service"),
        // 401: tokens are renewed before a refusal gets here, and the renewal tells if the sign-in
        // has ended. A server that refuses what it has just given is not well.
        401 | 408 | 429 | 500..=599 => Error::ServerBusy {
            status,
            retry_after,
        },
        400..=499 => Error::Refused { status, detail },
        300..=399 => Error::bad_answer(format!("a redirect (HTTP {status})")),
        _ => Error::bad_answer(format!("HTTP {status}")),
    }
}

/// As [`refusal`], of a request that would have given something a name. A 400 without a reason is what a `%` in a path
/// meets, and other names that the service does not like (protocol facts §5.1, §11). One with a reason is about that.
pub(crate) fn name_refusal(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Error {
    let words = words(body);
    match refusal(status, retry_after, body) {
        Error::Refused {
            status: 400,
            detail,
        } if words.is_none_or(|words| words.of_names || words.nothing) => {
            Error::NameRefused { detail }
        }
        error => error,
    }
}

fn words(body: &[u8]) -> Option<Words> {
    json_words(body).or_else(|| xml_words(body).ok())
}

fn json_words(body: &[u8]) -> Option<Words> {
    #[derive(Deserialize)]
    struct Fields {
        code: Option<serde_json::Value>,
        error_id: Option<String>,
        message: Option<String>,
    }
    let fields: Fields = serde_json::from_slice(body).ok()?;
    let code = fields.code.and_then(|code| match code {
        serde_json::Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|n| u16::try_from(n).ok()),
    });
    let class = fields
        .error_id
        .as_deref()
        .or(fields.message.as_deref())
        .and_then(class_of);
    let message = fields.message.unwrap_or_default();
    let of_names = is_of_names(&message);
    let nothing = class.is_none() && says_nothing(&message);
    (code.is_some() || class.is_some()).then_some(Words {
        code,
        class,
        of_names,
        nothing,
    })
}

fn xml_words(body: &[u8]) -> Result<Words> {
    let mut error = ErrorDocument {
        words: Words {
            nothing: true,
            ..Words::default()
        },
        ..ErrorDocument::default()
    };
    read_whole(body, &mut error)?;
    Ok(error.words)
}

/// `<error><code>404</code><message>java.class.Name: text</message>…</error>`
#[derive(Default)]
struct ErrorDocument {
    words: Words,
    depth: usize,
    field: String,
    text: String,
}

impl Handler for ErrorDocument {
    fn open(&mut self, tag: &Tag<'_>) -> Result<()> {
        self.depth += 1;
        if self.depth == 1 && tag.name != "error" {
            return Err(Error::bad_answer("a document of an unexpected kind"));
        }
        self.field = tag.name.to_owned();
        self.text.clear();
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        self.text.push_str(text);
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        match (self.depth, self.field.as_str()) {
            (2, "code") => self.words.code = self.text.trim().parse().ok(),
            (2, "message") => {
                self.words.class = class_of(&self.text);
                self.words.of_names = is_of_names(&self.text);
                self.words.nothing = self.words.class.is_none() && says_nothing(&self.text);
            }
            _ => {}
        }
        self.depth -= 1;
        self.field.clear();
        Ok(())
    }
}

fn is_of_names(message: &str) -> bool {
    OF_NAMES.iter().any(|words| message.contains(words))
}

/// Whether a message has no more than the status line of a 400.
fn says_nothing(message: &str) -> bool {
    let message = message.trim();
    let message = message.strip_prefix("400").unwrap_or(message);
    let message = message.trim_end_matches('.').trim();
    message.is_empty() || message.eq_ignore_ascii_case("bad request")
}

/// The last part of a class name; `None` for anything that is not one.
fn class_of(message: &str) -> Option<String> {
    let path = message.split([':', ' ']).next()?.trim();
    let class = path.rsplit('.').next()?;
    let plausible = (1..=64).contains(&class.len())
        && class.ends_with(|c: char| c.is_ascii_alphanumeric())
        && class
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && (class.ends_with("Exception") || class.ends_with("Error"));
    plausible.then(|| class.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(code: u16, message: &str) -> Vec<u8> {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <code>{code}</code>\n  <message>{message}</message>\n  \
             <reason>Not Found</reason>\n  <cause></cause>\n  <hostname>dn-1</hostname>\n  <x-id>1</x-id>\n</error>"
        )
        .into_bytes()
    }

    #[test]
    fn a_404_is_proof_only_in_the_services_words() {
        let proven = xml(
            404,
            "no.such.NoSuchFileException: File /u/Jotta/secret.txt does not exist",
        );
        assert_eq!(
            refusal(404, None, &proven),
            Error::NoSuchItem {
                detail: "NoSuchFileException".into()
            }
        );
        assert!(matches!(
            refusal(
                404,
                None,
                br#"{"code":404,"message":"x","error_id":"NoSuchPathException"}"#
            ),
            Error::NoSuchItem { .. }
        ));
        for body in [
            &b"<html><body>404</body></html>"[..],
            b"",
            b"Not Found",
            b"<error>",
            &xml(500, "x"),
        ] {
            assert!(matches!(refusal(404, None, body), Error::BadAnswer { .. }));
        }
    }

    #[test]
    fn each_status_says_what_to_do() {
        let wait = Some(Duration::from_secs(7));
        assert_eq!(
            refusal(429, wait, b""),
            Error::ServerBusy {
                status: 429,
                retry_after: wait
            }
        );
        assert_eq!(
            refusal(503, None, b"<html>"),
            Error::ServerBusy {
                status: 503,
                retry_after: None
            }
        );
        for status in [401, 408] {
            let error = refusal(status, None, b"");
            assert!(
                matches!(error, Error::ServerBusy { .. }),
                "{status}: {error:?}"
            );
        }
        assert!(matches!(refusal(302, None, b""), Error::BadAnswer { .. }));
        assert!(matches!(refusal(204, None, b""), Error::BadAnswer { .. }));
        assert_eq!(
            refusal(
                400,
                None,
                &xml(
                    400,
                    "no.jotta.backup.errors.InvalidArgumentException: JFS file names"
                )
            ),
            Error::Refused {
                status: 400,
                detail: "InvalidArgumentException".into()
            }
        );
    }

    #[test]
    fn a_name_is_refused_only_where_no_other_reason_is_given() {
        let refused = |body: &[u8]| {
            let error = name_refusal(400, None, body);
            matches!(error, Error::NameRefused { .. })
        };
        for body in [
            &b""[..],
            b"400 Bad request",
            b"<html><body><h1>400 Bad request</h1></body></html>",
            b"{}",
            br#"{"code":400}"#,
            br#"{"code":400,"message":"Bad Request"}"#,
            br#"{"code":400,"error_id":"InvalidArgumentException","message":"JFS file names may not be longer"}"#,
            &xml(400, ""),
            &xml(400, "java.lang.IllegalArgumentException: Unable to validate decoded path: /u/100%"),
        ] {
            assert!(refused(body), "{}", String::from_utf8_lossy(body));
        }
        for body in [
            &br#"{"code":400,"message":"md5 is not 32 hex digits"}"#[..],
            br#"{"code":400,"error_id":"InvalidArgumentException"}"#,
            br#"{"error_id":"InvalidArgumentException","message":"bytes is negative"}"#,
            &xml(
                400,
                "no.jotta.backup.errors.InvalidArgumentException: Argument",
            ),
            &xml(
                400,
                "Upload without md5 no longer supported. Use header JMd5.",
            ),
        ] {
            assert!(!refused(body), "{}", String::from_utf8_lossy(body));
        }
        assert!(!matches!(
            name_refusal(403, None, b""),
            Error::NameRefused { .. }
        ));
    }

    #[test]
    fn no_part_of_a_path_or_address_gets_into_an_error() {
        for body in [
            xml(404, "secret"),
            xml(404, "/u/Jotta/secret.txt"),
            xml(404, "secret.txt: gone"),
            br#"{"code":404,"message":"secret@example.org is locked"}"#.to_vec(),
            br#"{"code":404,"error_id":"secret token","message":"secret"}"#.to_vec(),
        ] {
            for status in [400, 401, 403, 404, 500] {
                let error = refusal(status, None, &body);
                assert!(
                    !format!("{error} {error:?}").contains("secret"),
                    "{error:?}"
                );
            }
        }
    }
}
