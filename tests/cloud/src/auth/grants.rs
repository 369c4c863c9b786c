//! The token endpoint's grants and the sign-in page that leads to a code.

use super::page;
use super::sessions::{CodeTerms, Presented, PresentedCode, random_hex};
use super::{Auth, AuthAnswer, AuthRequest, Fields, basic_client, encode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

type Answered = Result<AuthAnswer, rusqlite::Error>;

/// Takes part in the personal login token's grant.
const COMMAND_LINE: &str = "jottacli";
/// Take part in the browser flow; the first is most brands', the second some brands'.
const BROWSER: [&str; 2] = ["desktop", "desktop-win"];

impl Auth {
    pub(super) fn token(
        &self,
        realm: &str,
        request: &AuthRequest<'_>,
        fields: &Fields,
    ) -> Answered {
        let from_header = basic_client(request.authorization);
        let client = from_header
            .as_deref()
            .or(fields.get("client_id"))
            .unwrap_or("");
        if client != COMMAND_LINE && !BROWSER.contains(&client) {
            let text = "Invalid client or Invalid client credentials";
            return Ok(AuthAnswer::refuse(400, "invalid_client", text));
        }
        match fields.get("grant_type") {
            Some("password") => self.password(realm, client, request.origin, fields),
            Some("refresh_token") => self.refresh(realm, client, request, fields),
            Some("authorization_code") => self.code(realm, client, request, fields),
            Some(_) => Ok(AuthAnswer::refuse(
                400,
                "unsupported_grant_type",
                "Unsupported grant_type",
            )),
            None => Ok(AuthAnswer::refuse(
                400,
                "invalid_request",
                "Missing form parameter: grant_type",
            )),
        }
    }

    fn password(&self, realm: &str, client: &str, origin: &str, fields: &Fields) -> Answered {
        if client != COMMAND_LINE {
            let text = "Client not allowed for direct access grants";
            return Ok(AuthAnswer::refuse(400, "unauthorized_client", text));
        }
        let user = fields.get("username").unwrap_or("");
        let secret = fields.get("password").unwrap_or("");
        if user != self.user().username || !self.sessions.use_login_token(realm, secret)? {
            return Ok(AuthAnswer::refuse(
                401,
                "invalid_grant",
                "Invalid user credentials",
            ));
        }
        let scope = granted(fields.get("scope").unwrap_or(""));
        let session = self.sessions.begin(realm, client, &scope, false)?;
        self.new_pair(origin, &session)
    }

    fn refresh(
        &self,
        realm: &str,
        client: &str,
        request: &AuthRequest<'_>,
        fields: &Fields,
    ) -> Answered {
        let Some(token) = fields.get("refresh_token") else {
            return Ok(AuthAnswer::refuse(
                400,
                "invalid_request",
                "No refresh token",
            ));
        };
        let rules = request.rules;
        let refuse = |text: &str| Ok(AuthAnswer::refuse(400, "invalid_grant", text));
        match self
            .sessions
            .present(realm, client, token, rules.reuse_kills_access)?
        {
            Presented::Good(session) => self.new_pair(request.origin, &session),
            Presented::Reused(_) | Presented::Ended => refuse(rules.stale_refresh),
            Presented::OtherClient => {
                refuse("Invalid refresh token. Token client and authorized client don't match")
            }
            Presented::Unknown => refuse("Invalid refresh token"),
        }
    }

    fn code(
        &self,
        realm: &str,
        client: &str,
        request: &AuthRequest<'_>,
        fields: &Fields,
    ) -> Answered {
        let refuse = |text: &str| Ok(AuthAnswer::refuse(400, "invalid_grant", text));
        let Some(code) = fields.get("code") else {
            let text = "Missing parameter: code";
            return Ok(AuthAnswer::refuse(400, "invalid_request", text));
        };
        let PresentedCode::Good(terms) = self.sessions.present_code(code)? else {
            return refuse("Code not valid");
        };
        if terms.realm != realm || terms.client != client {
            return refuse("Auth error");
        }
        if fields.get("redirect_uri") != Some(terms.redirect_uri.as_str()) {
            return refuse("Incorrect redirect_uri");
        }
        if let Some((challenge, method)) = &terms.challenge {
            let Some(verifier) = fields.get("code_verifier") else {
                return refuse("PKCE code verifier not specified");
            };
            let derived = match method.as_str() {
                "S256" => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
                _ => verifier.to_owned(),
            };
            if derived != *challenge {
                return refuse("PKCE verification failed: Code mismatch");
            }
        }
        let alone = request.rules.one_browser_session && BROWSER.contains(&client);
        let session = self.sessions.begin(realm, client, &terms.scope, alone)?;
        self.sessions.code_became(code, &session.id)?;
        self.new_pair(request.origin, &session)
    }

    /// Shows the sign-in page, or says why not.
    pub(super) fn page(&self, realm: &str, fields: &Fields) -> AuthAnswer {
        match CodeRequest::read(realm, fields) {
            Ok(request) => AuthAnswer::html(
                200,
                page::sign_in(&self.user().email, &request.terms.client, fields),
            ),
            Err(answer) => answer,
        }
    }

    /// Takes the sign-in page's answer back to the program that asked.
    pub(super) fn page_answered(
        &self,
        realm: &str,
        request: &AuthRequest<'_>,
        fields: &Fields,
    ) -> Answered {
        let asked = match CodeRequest::read(realm, fields) {
            Ok(asked) => asked,
            Err(answer) => return Ok(answer),
        };
        if fields.get("answer") != Some("allow") {
            return Ok(asked.back(&[("error", "access_denied")]));
        }
        let code = random_hex(32);
        self.sessions.add_code(&code, &asked.terms)?;
        let issuer = format!("{}/auth/realms/{realm}", request.origin);
        let state = random_hex(16);
        Ok(asked.back(&[("session_state", &state), ("iss", &issuer), ("code", &code)]))
    }
}

/// A well-formed request for a code.
struct CodeRequest {
    terms: CodeTerms,
    state: Option<String>,
}

impl CodeRequest {
    /// A request with a wrong client or redirect must not be redirected: it gets a page.
    fn read(realm: &str, fields: &Fields) -> Result<Self, AuthAnswer> {
        let refuse = |text: &str| AuthAnswer::html(400, page::refusal(text));
        let client = fields.get("client_id").unwrap_or("");
        if client != COMMAND_LINE && !BROWSER.contains(&client) {
            return Err(refuse("Client not found."));
        }
        let redirect_uri = fields.get("redirect_uri").unwrap_or("");
        if !is_loopback(redirect_uri) {
            return Err(refuse("Invalid parameter: redirect_uri"));
        }
        let method = fields.get("code_challenge_method").unwrap_or("plain");
        let challenge = fields.get("code_challenge");
        let asked = Self {
            terms: CodeTerms {
                realm: realm.into(),
                client: client.into(),
                redirect_uri: redirect_uri.into(),
                scope: granted(fields.get("scope").unwrap_or("")),
                challenge: challenge.map(|challenge| (challenge.to_owned(), method.to_owned())),
            },
            state: fields.get("state").map(str::to_owned),
        };
        if fields.get("response_type") != Some("code") {
            return Err(asked.back(&[("error", "unsupported_response_type")]));
        }
        if !matches!(method, "plain" | "S256") {
            let text = "Invalid parameter: code challenge method is not supported";
            let error = [("error", "invalid_request"), ("error_description", text)];
            return Err(asked.back(&error));
        }
        Ok(asked)
    }

    fn back(&self, parameters: &[(&str, &str)]) -> AuthAnswer {
        let uri = &self.terms.redirect_uri;
        let mut location = format!("{uri}{}", if uri.contains('?') { '&' } else { '?' });
        let state = self.state.as_deref().map(|state| ("state", state));
        for (at, (name, value)) in state.iter().chain(parameters).enumerate() {
            let joint = if at == 0 { "" } else { "&" };
            location.push_str(&format!("{joint}{name}={}", encode(value)));
        }
        AuthAnswer::redirect(location)
    }
}

/// Only a program on this machine may get a code.
fn is_loopback(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let port_ok = |port: &str| port.parse::<u16>().is_ok();
    let local = ["127.0.0.1", "localhost", "[::1]"];
    let plain = !uri.contains(|c: char| c.is_control() || c == '#' || c == '\\');
    plain
        && local.iter().any(|host| match authority.strip_prefix(host) {
            Some("") => true,
            Some(rest) => rest.strip_prefix(':').is_some_and(port_ok),
            None => false,
        })
}

/// What is granted of the scopes asked for. They are separated by spaces; glued by anything else
/// they name no known scope, and the token is less than was hoped for (protocol facts §1.1).
fn granted(asked: &str) -> String {
    let known = ["openid", "email", "offline_access", "jotta-default"];
    let has = |scope: &str| asked.split(' ').any(|part| part == scope);
    let granted = known
        .iter()
        .filter(|scope| has(scope) || **scope == "email");
    granted.copied().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loopback_address_may_be_redirected_to() {
        for good in [
            "http://127.0.0.1:53682/",
            "http://localhost/x?y=z",
            "http://[::1]:9/cb",
        ] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "",
            "https://127.0.0.1/",
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1:1@example.com/",
            "http://localhost:99999/",
            "http://127.0.0.1/#x",
            "http://127.0.0.1\\@example.com/",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }

    #[test]
    fn scopes_glued_by_a_plus_sign_give_no_openid() {
        assert_eq!(
            granted("openid offline_access"),
            "openid email offline_access"
        );
        assert_eq!(granted("offline_access+openid"), "email");
    }
}
