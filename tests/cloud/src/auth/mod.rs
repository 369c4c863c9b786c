//! Sign-in as the service's Keycloak lays it out (protocol facts §1): discovery, the token endpoint
//! with its three grants, a sign-in page, userinfo, revocation and logout, below
//! `/auth/realms/<realm>/`.
//!
//! Invariants: a login token and a code work once; a refresh token works once, and a second use
//! ends the family; what was issued survives a restart. Nothing here knows of the transport.

mod form;
mod grants;
mod http;
mod jwt;
mod page;
mod sessions;

pub use form::{Fields, encode};
pub use http::{handle, origin};
pub use page::escape;
pub use sessions::random_hex;

use crate::switches::{OneBrowserSession, ReuseKillsAccessTokens, StaleRefreshText, Switches};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sessions::{Session, Sessions, now_ms};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The one user of a local cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The service's internal name, which paths carry.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// First and last name.
    pub name: String,
}

/// What no fact settles of sign-in, as the switches say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthRules {
    /// What a refused refresh token is told.
    pub stale_refresh: &'static str,
    /// Whether reuse of a refresh token ends the family's access tokens at once, too.
    pub reuse_kills_access: bool,
    /// Whether a second browser sign-in of one client ends the earlier one.
    pub one_browser_session: bool,
}

impl AuthRules {
    /// Reads the switches.
    pub fn of(switches: &Switches) -> Self {
        Self {
            stale_refresh: match switches.stale_refresh_text {
                StaleRefreshText::Client => "Session doesn't have required client",
                StaleRefreshText::Stale => "Stale token",
            },
            reuse_kills_access: switches.reuse_kills_access_tokens == ReuseKillsAccessTokens::Yes,
            one_browser_session: switches.one_browser_session == OneBrowserSession::Yes,
        }
    }
}

/// A request to sign-in, freed of its transport.
#[derive(Clone, Copy, Debug)]
pub struct AuthRequest<'a> {
    /// Method, upper case.
    pub method: &'a str,
    /// Path, still percent-encoded.
    pub path: &'a str,
    /// Query string, empty without one.
    pub query: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The body, a form.
    pub body: &'a [u8],
    /// Scheme and authority that the client used, without a slash at the end.
    pub origin: &'a str,
    /// The rules in force.
    pub rules: AuthRules,
}

/// An answer of sign-in, before it meets a transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthAnswer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Location`, on a redirect.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

impl AuthAnswer {
    fn json(status: u16, value: &Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            location: None,
            body: value.to_string(),
        }
    }

    fn refuse(status: u16, error: &str, description: &str) -> Self {
        Self::json(
            status,
            &json!({"error": error, "error_description": description}),
        )
    }

    fn html(status: u16, body: String) -> Self {
        Self {
            status,
            content_type: "text/html;charset=utf-8",
            location: None,
            body,
        }
    }

    fn redirect(location: String) -> Self {
        Self {
            status: 302,
            content_type: "text/html;charset=utf-8",
            location: Some(location),
            body: String::new(),
        }
    }

    fn empty(status: u16) -> Self {
        Self::html(status, String::new())
    }
}

/// Why an `Authorization` header is refused by JFS and the JSON API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerRefusal {
    /// There is none, or it is no bearer token.
    Mismatch,
    /// It is unknown, expired or revoked.
    BadCredentials,
}

impl BearerRefusal {
    /// Class and text that the service puts into its 401 (protocol facts §1.5).
    pub fn message(self) -> (&'static str, &'static str) {
        match self {
            Self::Mismatch => (
                "org.springframework.security.authentication.AuthenticationCredentialsNotFoundException",
                "Token mismatch!",
            ),
            Self::BadCredentials => (
                "org.springframework.security.authentication.BadCredentialsException",
                "Bad credentials",
            ),
        }
    }
}

/// Sign-in of one cloud.
#[derive(Debug)]
pub struct Auth {
    user: User,
    access_token_ms: AtomicI64,
    sessions: Sessions,
}

impl Auth {
    /// Opens the token state in `directory`, which exists.
    pub fn open(directory: &Path, user: User, ttl: Duration) -> Result<Self, rusqlite::Error> {
        let auth = Self {
            user,
            access_token_ms: AtomicI64::new(0),
            sessions: Sessions::open(directory)?,
        };
        auth.set_access_token_ttl(ttl);
        Ok(auth)
    }

    /// How long access tokens live that are issued from now on.
    pub fn set_access_token_ttl(&self, ttl: Duration) {
        let ms = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX / 2);
        self.access_token_ms
            .store(ms.min(i64::MAX / 2), Ordering::Relaxed);
    }

    /// The user who signs in here.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// A new personal login token of `realm`, good once; its discovery link is below `origin`.
    pub fn new_login_token(&self, origin: &str, realm: &str) -> Result<String, rusqlite::Error> {
        let secret = random_hex(24);
        self.sessions.add_login_token(realm, &secret)?;
        let token = json!({
            "username": self.user.username,
            "realm": realm,
            "well_known_link": format!("{origin}/auth/realms/{realm}/.well-known/openid-configuration"),
            "auth_token": secret,
        });
        Ok(URL_SAFE_NO_PAD.encode(token.to_string()))
    }

    /// Checks the `Authorization` header of a call to JFS or the JSON API.
    pub fn check_bearer(&self, authorization: Option<&str>) -> Result<(), BearerRefusal> {
        let token = bearer(authorization).ok_or(BearerRefusal::Mismatch)?;
        match self.sessions.by_access(token) {
            Ok(Some(_)) => Ok(()),
            _ => Err(BearerRefusal::BadCredentials),
        }
    }

    /// Lets every access token expire now; they can be refreshed.
    pub fn expire_access_tokens(&self) -> Result<(), rusqlite::Error> {
        self.sessions.expire_access()
    }

    /// Ends every session, as a person does who signs all devices out on the web site.
    pub fn revoke_all(&self) -> Result<(), rusqlite::Error> {
        self.sessions.end_all()
    }

    /// How many sessions are live.
    pub fn live_sessions(&self) -> Result<i64, rusqlite::Error> {
        self.sessions.live()
    }

    /// Whether a path belongs to sign-in.
    pub fn serves(path: &str) -> bool {
        path.starts_with("/auth/")
    }

    /// The kind of a request, for the counts.
    pub fn kind(path: &str) -> &'static str {
        match path.rsplit('/').next() {
            Some("token") => "token",
            Some("auth") => "sign-in-page",
            Some("userinfo") => "userinfo",
            Some("openid-configuration") => "discovery",
            Some("logout" | "revoke") => "sign-out",
            _ => "auth-other",
        }
    }

    /// Answers one request.
    pub fn handle(&self, request: AuthRequest<'_>) -> AuthAnswer {
        let answer = self.route(request);
        answer.unwrap_or_else(|error| {
            AuthAnswer::refuse(500, "unknown_error", &format!("token state: {error}"))
        })
    }

    fn route(&self, request: AuthRequest<'_>) -> Result<AuthAnswer, rusqlite::Error> {
        let not_found = || {
            AuthAnswer::json(
                404,
                &json!({"error": "RESTEASY003210: Could not find resource for full path"}),
            )
        };
        let Some(rest) = request.path.strip_prefix("/auth/realms/") else {
            return Ok(not_found());
        };
        let Some((realm, rest)) = rest.split_once('/') else {
            return Ok(not_found());
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if realm.is_empty() || !realm.chars().all(plain) {
            return Ok(AuthAnswer::json(
                404,
                &json!({"error": "Realm does not exist"}),
            ));
        }
        let fields = Fields::parse(&String::from_utf8_lossy(request.body));
        match (request.method, rest) {
            ("GET", ".well-known/openid-configuration") => Ok(discovery(request.origin, realm)),
            ("POST", "protocol/openid-connect/token") => self.token(realm, &request, &fields),
            ("GET", "protocol/openid-connect/auth") => {
                Ok(self.page(realm, &Fields::parse(request.query)))
            }
            // The form repeats the parameters, so the body alone counts.
            ("POST", "protocol/openid-connect/auth") => {
                self.page_answered(realm, &request, &fields)
            }
            ("GET" | "POST", "protocol/openid-connect/userinfo") => self.userinfo(realm, &request),
            ("POST", "protocol/openid-connect/logout") => match fields.get("refresh_token") {
                Some(token) if self.sessions.end_by_refresh(token)? => Ok(AuthAnswer::empty(204)),
                _ => Ok(AuthAnswer::refuse(
                    400,
                    "invalid_grant",
                    "Invalid refresh token",
                )),
            },
            ("POST", "protocol/openid-connect/revoke") => {
                let Some(token) = fields.get("token") else {
                    return Ok(AuthAnswer::refuse(
                        400,
                        "invalid_request",
                        "Token not provided",
                    ));
                };
                if !self.sessions.end_by_refresh(token)? {
                    self.sessions.end_access(token)?;
                }
                Ok(AuthAnswer::empty(200))
            }
            (_, "protocol/openid-connect/token" | "protocol/openid-connect/logout") => {
                Ok(AuthAnswer::json(
                    405,
                    &json!({"error": "RESTEASY003650: No resource method found"}),
                ))
            }
            _ => Ok(not_found()),
        }
    }

    fn userinfo(
        &self,
        realm: &str,
        request: &AuthRequest<'_>,
    ) -> Result<AuthAnswer, rusqlite::Error> {
        let session = match bearer(request.authorization) {
            Some(token) => self.sessions.by_access(token)?,
            None => None,
        };
        let Some(session) = session.filter(|session| session.realm == realm) else {
            return Ok(AuthAnswer::refuse(
                401,
                "invalid_token",
                "Token verification failed",
            ));
        };
        let (given, family) = self
            .user
            .name
            .split_once(' ')
            .unwrap_or((&self.user.name, ""));
        Ok(AuthAnswer::json(
            200,
            &json!({
                "sub": self.subject(),
                "email_verified": true,
                "name": self.user.name,
                "realm": session.realm,
                "preferred_username": self.user.username,
                "username": self.user.username,
                "given_name": given,
                "family_name": family,
                "email": self.user.email,
            }),
        ))
    }

    /// Keycloak's subject of a federated user, which ends in the user's name.
    fn subject(&self) -> String {
        format!(
            "f:3a7f5c1e-6c0d-4c53-9d2b-0c8f4f1f7a10:{}",
            self.user.username
        )
    }

    /// A session's new pair of tokens, as the token endpoint answers.
    fn new_pair(&self, origin: &str, session: &Session) -> Result<AuthAnswer, rusqlite::Error> {
        let ttl_ms = self.access_token_ms.load(Ordering::Relaxed);
        let now = now_ms();
        let expires_ms = now + ttl_ms;
        let claims = |kind: &str, expires: i64| {
            json!({
                "exp": expires, "iat": now / 1000, "jti": random_hex(16),
                "iss": format!("{origin}/auth/realms/{}", session.realm),
                "sub": self.subject(), "typ": kind, "azp": session.client, "sid": session.id,
                "session_state": session.id, "scope": session.scope,
                "preferred_username": self.user.username, "email": self.user.email,
            })
        };
        let secret = self.sessions.secret();
        let access = jwt::sign(secret, &claims("Bearer", expires_ms / 1000));
        let refresh = jwt::sign(secret, &claims("Offline", 0));
        self.sessions
            .add_pair(&session.id, &access, &refresh, expires_ms)?;
        let mut answer = json!({
            "access_token": access,
            "expires_in": ttl_ms / 1000,
            "refresh_expires_in": 0,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "session_state": session.id,
            "scope": session.scope,
        });
        if session.scope.split(' ').any(|scope| scope == "openid") {
            answer["id_token"] = jwt::sign(secret, &claims("ID", expires_ms / 1000)).into();
        }
        Ok(AuthAnswer::json(200, &answer))
    }
}

fn bearer(authorization: Option<&str>) -> Option<&str> {
    let (scheme, token) = authorization?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

/// The client id of `Authorization: Basic`, which OAuth libraries try before the form field.
fn basic_client(authorization: Option<&str>) -> Option<String> {
    let (scheme, coded) = authorization?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(coded.trim()).ok()?).ok()?;
    Some(form::decode(text.split(':').next()?))
}

fn discovery(origin: &str, realm: &str) -> AuthAnswer {
    let issuer = format!("{origin}/auth/realms/{realm}");
    let endpoint = |name: &str| format!("{issuer}/protocol/openid-connect/{name}");
    AuthAnswer::json(
        200,
        &json!({
            "issuer": issuer,
            "authorization_endpoint": endpoint("auth"),
            "token_endpoint": endpoint("token"),
            "userinfo_endpoint": endpoint("userinfo"),
            "end_session_endpoint": endpoint("logout"),
            "revocation_endpoint": endpoint("revoke"),
            "jwks_uri": endpoint("certs"),
            "grant_types_supported": ["authorization_code", "refresh_token", "password"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["HS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "scopes_supported": ["openid", "email", "offline_access", "jotta-default"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }),
    )
}
