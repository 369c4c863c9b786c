//! Sign-in's way to the transport.

use super::{Auth, AuthRequest, AuthRules};
use crate::body::{self, Body, Reply};
use crate::refusal::Refusal;
use crate::state::State;
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, HOST, HeaderMap, HeaderValue, LOCATION};
use std::sync::Arc;

/// A form of a few tokens is far smaller.
const FORM_LIMIT: usize = 64 * 1024;

/// Scheme and authority that a client used, without a slash at the end.
pub fn origin(headers: &HeaderMap, scheme: &str) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    format!("{scheme}://{}", host.unwrap_or("127.0.0.1"))
}

impl Auth {
    /// Whether the request carries a token that is alive.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let authorization = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        self.check_bearer(authorization).map_err(|refusal| {
            let (class, text) = refusal.message();
            Refusal::new(401, class, text)
        })
    }
}

/// Everything below `/auth/realms/`.
pub async fn handle(
    state: &Arc<State>,
    request: Request<Incoming>,
    scheme: &'static str,
) -> Result<Reply, Refusal> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, FORM_LIMIT).collect().await;
    let body = body
        .map_err(|error| Refusal::invalid(error.to_string()))?
        .to_bytes();
    let rules = AuthRules::of(&state.switches());
    let shared = state.clone();
    let answer = state
        .blocking(move || {
            let authorization = head.headers.get(AUTHORIZATION);
            Ok(shared.auth.handle(AuthRequest {
                method: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query().unwrap_or_default(),
                authorization: authorization.and_then(|value| value.to_str().ok()),
                body: &body,
                origin: &origin(&head.headers, scheme),
                rules,
            }))
        })
        .await?;
    let mut reply = body::reply(answer.status, answer.content_type, Body::whole(answer.body));
    let headers = reply.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(location) = answer.location {
        let value = HeaderValue::from_str(&location);
        headers.insert(
            LOCATION,
            value.map_err(|error| Refusal::invalid(error.to_string()))?,
        );
    }
    Ok(reply)
}
