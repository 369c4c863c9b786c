//! Sign-in and tokens.

use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap};

use crate::CloudOptions;
use crate::body::Reply;
use crate::refusal::Refusal;
use crate::state::State;

/// The tokens that are alive.
#[derive(Debug)]
pub struct Auth {}

impl Auth {
    /// No token yet.
    pub fn new(_options: &CloudOptions) -> Self {
        Self {}
    }

    /// Whether the request carries a token that is alive.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let bearer = headers
            .get(AUTHORIZATION)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.strip_prefix("Bearer "));
        match bearer {
            Some(token) if !token.is_empty() => Ok(()),
            _ => Err(Refusal::bad_credentials()),
        }
    }
}

/// Everything below `/auth/realms/` (and whatever sign-in page there is).
pub async fn handle(_state: &Arc<State>, _request: Request<Incoming>) -> Result<Reply, Refusal> {
    Err(Refusal::not_found("sign-in is not there yet"))
}

/// What a request below `/auth/realms/` is counted as.
pub fn kind_of(path: &str) -> &'static str {
    if path.ends_with("/token") {
        "token"
    } else {
        "sign-in"
    }
}
