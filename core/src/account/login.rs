//! The personal login token: base64 of a JSON object that says who, where and with which one-time password.

use super::Secret;
use crate::remote::transport::safe_url;
use crate::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::Deserialize;

/// What is in a login token.
#[derive(Debug)]
pub(crate) struct LoginToken {
    pub username: String,
    pub password: Secret,
    /// The sign-in server's description.
    pub link: String,
}

#[derive(Deserialize)]
struct Written {
    username: String,
    auth_token: String,
    #[serde(alias = "wellKnownLink")]
    well_known_link: String,
}

impl LoginToken {
    /// Reads what a person pasted: base64url without padding, or plain base64, with stray white space.
    pub fn parse(token: &Secret) -> Result<Self> {
        let refused = |why: &str| Error::LoginRefused { detail: why.into() };
        let text = Secret::new(
            token
                .reveal()
                .chars()
                .filter(|c| !c.is_whitespace())
                .collect::<String>(),
        );
        let digits = text.reveal().trim_end_matches('=');
        if digits.is_empty() || digits.len() > 16 * 1024 {
            return Err(refused("not a login token"));
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(digits)
            .or_else(|_| STANDARD_NO_PAD.decode(digits))
            .map_err(|_| refused("not a login token"))?;
        let written: Written =
            serde_json::from_slice(&bytes).map_err(|_| refused("not a login token"))?;
        safe_url(&written.well_known_link)
            .map_err(|_| refused("a login token for an unsafe server"))?;
        Ok(Self {
            username: written.username,
            password: Secret::new(written.auth_token),
            link: written.well_known_link,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    fn json(key: &str, link: &str) -> String {
        format!(r#"{{"username":"u","realm":"r","{key}":"{link}","auth_token":"hush~~??>>"}}"#)
    }

    #[test]
    fn a_token_is_read_in_every_spelling() {
        for key in ["well_known_link", "wellKnownLink"] {
            let json = json(key, "https://id.jottacloud.com/x");
            let plain = URL_SAFE_NO_PAD.encode(&json);
            let broken = format!("  {}\n{}\n", &plain[..20], &plain[20..]);
            for text in [
                plain.clone(),
                broken,
                STANDARD.encode(&json),
                URL_SAFE.encode(&json),
                STANDARD_NO_PAD.encode(&json),
            ] {
                let token = LoginToken::parse(&Secret::new(text)).unwrap();
                assert_eq!(token.username, "u");
                assert_eq!(token.password.reveal(), "hush~~??>>");
                assert_eq!(token.link, "https://id.jottacloud.com/x");
                assert!(!format!("{token:?}").contains("hush"));
            }
        }
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_quoted() {
        let unsafe_link = URL_SAFE_NO_PAD.encode(json("well_known_link", "http://example.org/x"));
        let odd_scheme = URL_SAFE_NO_PAD.encode(json("well_known_link", "file:///etc/passwd"));
        let no_json = URL_SAFE_NO_PAD.encode("hush");
        let long = "A".repeat(100_000);
        for text in [
            "",
            "   ",
            "hush hush",
            "\u{e5}",
            "====",
            &no_json,
            &unsafe_link,
            &odd_scheme,
            &long,
        ] {
            let error = LoginToken::parse(&Secret::new(text)).unwrap_err();
            assert!(matches!(error, Error::LoginRefused { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("hush"));
        }
    }
}
