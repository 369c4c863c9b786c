//! Sign-in through the browser: authorization code with PKCE, to a loopback address.
//!
//! The listener takes what any program or page on this machine may send: requests are short or cut
//! off, other paths get a 404, and only the right `state` counts.

use super::oauth::{self, Discovery};
use super::{Account, AccountInfo, Secret, Service, random_text};
use crate::remote::transport::safe_url;
use crate::{CancelToken, Endpoints, Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const MAX_REQUEST: usize = 8 * 1024;
/// For one request to come in. Browsers open connections that they never use.
const REQUEST_TIME: Duration = Duration::from_secs(20);
/// A person may have to find a password.
const SIGN_IN_TIME: Duration = Duration::from_secs(15 * 60);

const WARNING: &str = "The service lets only one sign-in of this kind live. Signing in here will, in time, sign out \
    other apps that signed in through the browser, the desktop program among them. A personal login token, where the \
    service offers one, does not have this effect.";

/// A browser sign-in under way. Dropping it ends it.
pub struct BrowserSignIn {
    account: Arc<Account>,
    listener: TcpListener,
    url: String,
    redirect: String,
    state: String,
    verifier: Secret,
    discovery: Discovery,
    service: Service,
    endpoints: Endpoints,
}

/// What the browser brought back.
enum Brought {
    Code(Secret),
    Refused,
}

impl BrowserSignIn {
    pub(super) async fn start(
        account: Arc<Account>,
        service: &Service,
        cancel: &CancelToken,
    ) -> Result<Self> {
        let origin = account.origin_of(service);
        let link = format!(
            "{origin}/auth/realms/{}/.well-known/openid-configuration",
            service.realm
        );
        let endpoints = account.endpoints_for(&link)?;
        let discovery = oauth::discover(&account.transport, &link, cancel).await?;
        let authorize = discovery
            .authorization_endpoint
            .as_deref()
            .ok_or_else(|| Error::bad_answer("a sign-in server without a page to sign in"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // By name, because that is what the service's clients are registered with.
        let redirect = format!("http://localhost:{}/", listener.local_addr()?.port());
        let (state, verifier) = (random_text()?, Secret::new(random_text()?));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.reveal()));
        let mut url = safe_url(authorize)?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", service.client_id)
            .append_pair("redirect_uri", &redirect)
            .append_pair("scope", service.scope())
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(Self {
            account,
            listener,
            url: url.into(),
            redirect,
            state,
            verifier,
            discovery,
            service: *service,
            endpoints,
        })
    }

    /// The page to open in a browser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the person should know before: the service lets only one such login live, so others
    /// (the desktop program's too) are signed out in time.
    pub fn warning(&self) -> &'static str {
        WARNING
    }

    /// Waits until the browser has come back to the loopback address, at most a quarter of an hour. The drive
    /// may be paused meanwhile, as apps do that are behind the browser: the sign-in goes on when it is
    /// resumed.
    pub async fn finish(self, cancel: &CancelToken) -> Result<AccountInfo> {
        let brought = cancel
            .run(async {
                tokio::time::timeout(SIGN_IN_TIME, self.wait())
                    .await
                    .unwrap_or_else(|_| Err(refused("the browser did not come back")))
            })
            .await?;
        let Brought::Code(code) = brought else {
            return Err(refused("the sign-in page was left or said no"));
        };
        let life = self.account.life.clone();
        life.resumed(cancel).await?;
        life.run(cancel, async |cancel| self.redeem(&code, cancel).await)
            .await
    }

    async fn redeem(&self, code: &Secret, cancel: &CancelToken) -> Result<AccountInfo> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", self.service.client_id),
            ("code", code.reveal()),
            ("redirect_uri", self.redirect.as_str()),
            ("code_verifier", self.verifier.reveal()),
        ];
        let endpoint = &self.discovery.token_endpoint;
        let grant = oauth::ask(&self.account.transport, endpoint, &form, cancel)
            .await
            .map_err(oauth::NoGrant::into_error)?;
        let tokens = self
            .account
            .first_tokens(grant, endpoint, self.service.client_id)?;
        self.account
            .complete(
                tokens,
                self.service.name.to_owned(),
                &self.endpoints,
                cancel,
            )
            .await
    }

    #[cfg(test)]
    pub(super) fn verifier_for_test(&self) -> &str {
        self.verifier.reveal()
    }

    #[cfg(test)]
    pub(super) fn port_for_test(&self) -> u16 {
        self.listener
            .local_addr()
            .map_or(0, |address| address.port())
    }

    /// Serves every connection at once: one that stays silent must not keep the next one out.
    async fn wait(&self) -> Result<Brought> {
        let (found, mut brought) = mpsc::channel(1);
        let serve = async {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                tokio::select! {
                    accepted = self.listener.accept() => {
                        let (stream, _) = accepted?;
                        if connections.len() < 32 {
                            let (state, found) = (self.state.clone(), found.clone());
                            connections.spawn(async move {
                                let served = tokio::time::timeout(REQUEST_TIME, answer(stream, &state)).await;
                                if let Ok(Some(brought)) = served {
                                    // The first one counts.
                                    let _ = found.try_send(brought);
                                }
                            });
                        }
                    }
                    Some(_) = connections.join_next(), if !connections.is_empty() => {}
                    Some(brought) = brought.recv() => return Ok(brought),
                }
            }
        };
        serve.await
    }
}

/// Answers one request; what it brought, if it is the one waited for.
async fn answer(mut stream: TcpStream, state: &str) -> Option<Brought> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() >= MAX_REQUEST || stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    let brought = read_request(&request, state);
    let (status, text) = match &brought {
        Some(Brought::Code(_)) => (
            "200 OK",
            "You are signed in. You can close this page and go back to the app.",
        ),
        Some(Brought::Refused) => (
            "200 OK",
            "You are not signed in. You can close this page and go back to the app.",
        ),
        None => ("404 Not Found", "There is nothing here."),
    };
    let page =
        format!("<!doctype html><meta charset=\"utf-8\"><title>Lomme</title><p>{text}</p>\n");
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n",
        page.len()
    );
    // The code is here, whether or not the browser still listens.
    let _ = stream.write_all(format!("{head}{page}").as_bytes()).await;
    let _ = stream.shutdown().await;
    brought
}

fn read_request(request: &[u8], state: &str) -> Option<Brought> {
    let line = std::str::from_utf8(request.split(|&b| b == b'\r').next()?).ok()?;
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let query = target.strip_prefix("/?")?;
    let url = safe_url(&format!("http://localhost/?{query}")).ok()?;
    let value = |key: &str| {
        url.query_pairs()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value.into_owned())
    };
    if value("state")? != state {
        return None;
    }
    match value("code") {
        Some(code) if !code.is_empty() => Some(Brought::Code(Secret::new(code))),
        _ => value("error").map(|_| Brought::Refused),
    }
}

fn refused(detail: &str) -> Error {
    Error::LoginRefused {
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<String> {
        let request = format!("{line}\r\nHost: localhost\r\n\r\n");
        read_request(request.as_bytes(), "right").map(|brought| match brought {
            Brought::Code(code) => code.reveal().to_owned(),
            Brought::Refused => "refused".into(),
        })
    }

    #[test]
    fn only_the_right_state_brings_a_code() {
        assert_eq!(
            read("GET /?state=right&code=a%2Fb HTTP/1.1").as_deref(),
            Some("a/b")
        );
        assert_eq!(
            read("GET /?code=c&session_state=s&state=right HTTP/1.1").as_deref(),
            Some("c")
        );
        assert_eq!(
            read("GET /?error=access_denied&state=right HTTP/1.1").as_deref(),
            Some("refused")
        );
        for line in [
            "GET /?state=wrong&code=c HTTP/1.1",
            "GET /?code=c HTTP/1.1",
            "GET /?state=right HTTP/1.1",
            "GET /?state=right&code= HTTP/1.1",
            "GET /favicon.ico HTTP/1.1",
            "GET /other?state=right&code=c HTTP/1.1",
            "POST /?state=right&code=c HTTP/1.1",
            "GET http://localhost/?state=right&code=c HTTP/1.1",
            "",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
