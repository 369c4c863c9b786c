//! HTTP, with the rules that keep it safe and patient.
//!
//! - TLS with the built-in public roots only, never the platform's verifier, which panics where an
//!   Android app has not set it up. Plain HTTP only to this machine itself.
//! - No redirect is followed, so a token never reaches another host. No proxy is guessed.
//! - Time-outs are on silence, never on the whole: a large file may take hours.
//! - Only a GET is sent again by itself, and only before any of its body was handed on. A POST is, too, if there was no
//!   connection that it could have gone out on, or if it does no more twice than once: a server may close a connection
//!   at the moment when we use it again, and nobody can tell that from a lost answer.

use super::errors;
use crate::account::Secret;
use crate::disk::{Disk, RealDisk};
use crate::{CancelToken, Error, Result};
use bytes::Bytes;
use futures_util::TryStreamExt;
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, HeaderName, HeaderValue, RANGE, RETRY_AFTER,
};
use reqwest::{Client, Method, Request, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::io::StreamReader;

/// How long to wait for what.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    pub connect: Duration,
    /// For the headers of an answer, and for each part of its body.
    pub stall: Duration,
    /// For the answer to an upload, from the time on when its last piece was handed to the connection. What is then still
    /// in buffers, here and in the system, takes a slow line minutes.
    pub drain: Duration,
    /// How often a GET is sent in all.
    pub attempts: u32,
    /// How often a connection that stays open is asked whether it lives.
    pub ping: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(120),
            attempts: 5,
            ping: Duration::from_secs(30),
        }
    }
}

/// The part of a file that is asked for: from byte `from` to before byte `to`, or to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub from: u64,
    pub to: Option<u64>,
}

impl Span {
    /// `Range: bytes=<first>-<last or nothing>`, both included; `None` asks for the whole file.
    fn header(self) -> Option<String> {
        match self.to {
            Some(to) => Some(format!("bytes={}-{}", self.from, to.saturating_sub(1))),
            None if self.from > 0 => Some(format!("bytes={}-", self.from)),
            None => None,
        }
    }
}

/// What may be sent again by itself when no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Only what certainly never went out.
    Unsent,
    /// Anything: twice does what once does.
    Unanswered,
}

/// The HTTP client. Cheap to clone; clones share connections.
#[derive(Clone)]
pub(crate) struct Transport(Arc<Shared>, Arc<dyn Disk>);

struct Shared {
    client: RwLock<Client>,
    tls: rustls::ClientConfig,
    patience: Patience,
}

/// A request that got no answer.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    pub error: Error,
    /// The server may have got the request and done the work.
    pub maybe_done: bool,
    /// Waited long enough already.
    pub timed_out: bool,
}

impl Transport {
    pub fn new(extra_roots_pem: Option<&str>) -> Result<Self> {
        Self::with_patience(extra_roots_pem, Patience::default())
    }

    pub fn with_patience(extra_roots_pem: Option<&str>, patience: Patience) -> Result<Self> {
        let tls = tls_config(extra_roots_pem)?;
        let client = client(&tls, &patience)?;
        let shared = Shared {
            client: RwLock::new(client),
            tls,
            patience,
        };
        Ok(Self(Arc::new(shared), Arc::new(RealDisk)))
    }

    /// The same, asking [`Disk::alive`] right before each request is sent.
    pub fn asking(self, disk: Arc<dyn Disk>) -> Self {
        Self(self.0, disk)
    }

    /// Drops all idle connections; those in use end with their answers.
    pub fn reset_connections(&self) {
        // A client that was built once can be built again; if not, the old one still works.
        if let Ok(new) = client(&self.0.tls, &self.0.patience) {
            *self
                .0
                .client
                .write()
                .unwrap_or_else(PoisonError::into_inner) = new;
        }
    }

    /// Sends a GET, again if it failed in a way that passes, and gives whatever the server answers.
    pub async fn get(
        &self,
        url: &str,
        token: Option<&Secret>,
        span: Option<Span>,
        cancel: &CancelToken,
    ) -> Result<Answer> {
        let mut delay = Duration::from_millis(10);
        let mut attempt = 1;
        loop {
            let request = self.request(Method::GET, url, token, span)?;
            let last = attempt >= self.0.patience.attempts;
            match self.send(request, cancel).await {
                Ok(answer) => {
                    let patient = answer.retry_after().is_none_or(|wait| wait <= MAX_DELAY);
                    if last || !patient || !passes(answer.status) {
                        return Ok(answer);
                    }
                    delay = delay.max(answer.retry_after().unwrap_or_default());
                }
                Err(failed) => {
                    let passing =
                        matches!(failed.error, Error::Offline { .. }) && !failed.timed_out;
                    if last || !passing {
                        return Err(failed.error);
                    }
                }
            }
            pause(delay.mul_f64(0.5 + fastrand::f64() / 2.0), cancel).await?;
            delay = (delay * 4).min(MAX_DELAY);
            attempt += 1;
        }
    }

    /// Posts a form, once.
    pub async fn post_form(
        &self,
        url: &str,
        form: &[(&str, &str)],
        cancel: &CancelToken,
    ) -> Result<Answer, NoAnswer> {
        let client = self.client();
        let url = safe_url(url).map_err(not_sent)?;
        let request = client
            .post(url)
            .form(form)
            .build()
            .map_err(|_| not_sent(Error::bug("a form that cannot be sent")))?;
        self.send(request, cancel).await
    }

    /// Posts a short text.
    pub async fn post(
        &self,
        url: &str,
        token: &Secret,
        headers: &[(HeaderName, HeaderValue)],
        text: &Bytes,
        again: Again,
        cancel: &CancelToken,
    ) -> Result<Answer, NoAnswer> {
        let mut delay = Duration::from_millis(10);
        let mut attempt = 1;
        loop {
            let request = self.request(Method::POST, url, Some(token), None);
            let mut request = request.map_err(not_sent)?;
            // JFS tells a command from an upload by these two (protocol facts §10.4).
            request
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
            request.headers_mut().extend(headers.iter().cloned());
            *request.body_mut() = Some(text.clone().into());
            match self.send(request, cancel).await {
                Err(failed)
                    if (again == Again::Unanswered || !failed.maybe_done)
                        && !failed.timed_out
                        && attempt < self.0.patience.attempts => {}
                other => return other,
            }
            let wait = delay.mul_f64(0.5 + fastrand::f64() / 2.0);
            pause(wait, cancel).await.map_err(not_sent)?;
            delay = (delay * 4).min(MAX_DELAY);
            attempt += 1;
        }
    }

    /// The TLS of all connections.
    pub fn tls(&self) -> &rustls::ClientConfig {
        &self.0.tls
    }

    /// How long to wait for what.
    pub fn patience(&self) -> Patience {
        self.0.patience
    }

    fn client(&self) -> Client {
        self.0
            .client
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A request without a body.
    pub(super) fn request(
        &self,
        method: Method,
        url: &str,
        token: Option<&Secret>,
        span: Option<Span>,
    ) -> Result<Request> {
        let mut request = Request::new(method, safe_url(url)?);
        if let Some(token) = token {
            let mut value =
                HeaderValue::from_str(&format!("Bearer {}", token.reveal())).map_err(|_| {
                    Error::SignInNeeded {
                        detail: "a token that cannot be sent".into(),
                    }
                })?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        if let Some(range) = span.and_then(Span::header) {
            let value = HeaderValue::from_str(&range)
                .map_err(|_| Error::bug("a range that cannot be sent"))?;
            request.headers_mut().insert(RANGE, value);
        }
        Ok(request)
    }

    async fn send(&self, request: Request, cancel: &CancelToken) -> Result<Answer, NoAnswer> {
        let patience = self.0.patience.stall + self.0.patience.connect;
        let silence = async {
            tokio::time::sleep(patience).await;
            Error::offline("no answer")
        };
        self.send_unless(request, silence, cancel).await
    }

    /// Sends a request until there is an answer's head, or `given_up` says why there will be none.
    pub(super) async fn send_unless(
        &self,
        request: Request,
        given_up: impl Future<Output = Error>,
        cancel: &CancelToken,
    ) -> Result<Answer, NoAnswer> {
        self.1.alive().map_err(|error| not_sent(error.into()))?;
        let stall = self.0.patience.stall;
        let client = self.client();
        let sent = async {
            tokio::select! {
                biased;
                answer = client.execute(request) => Ok(answer),
                error = given_up => Err(error),
            }
        };
        match cancel.run(sent).await {
            Ok(Ok(response)) => Ok(Answer {
                status: response.status().as_u16(),
                response,
                stall,
            }),
            Ok(Err(error)) => Err(NoAnswer {
                maybe_done: !error.is_connect() && !error.is_builder(),
                timed_out: error.is_timeout(),
                error: Error::offline(describe(&error)),
            }),
            Err(error) => Err(NoAnswer {
                error,
                maybe_done: true,
                timed_out: true,
            }),
        }
    }
}

fn not_sent(error: Error) -> NoAnswer {
    NoAnswer {
        error,
        maybe_done: false,
        timed_out: false,
    }
}

/// The longest wait before another attempt.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// Whether a status is known to pass (protocol facts §10.5; 408: the request came in too slowly).
fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 509)
}

/// Waits, unless cancelled.
pub(crate) async fn pause(delay: Duration, cancel: &CancelToken) -> Result<()> {
    cancel
        .run(async {
            tokio::time::sleep(delay).await;
            Ok(())
        })
        .await
}

/// The body of an answer.
pub(crate) type Stream = std::pin::Pin<Box<dyn tokio::io::AsyncBufRead + Send>>;

/// An answer whose body is still to be read.
pub(crate) struct Answer {
    pub status: u16,
    response: reqwest::Response,
    stall: Duration,
}

impl Answer {
    /// The next part of the body; `None` at its end.
    pub async fn chunk(&mut self, cancel: &CancelToken) -> Result<Option<Bytes>> {
        cancel.run(self.next()).await
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        match tokio::time::timeout(self.stall, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(Error::offline(describe(&error))),
            Err(_) => Err(Error::offline("the answer stalled")),
        }
    }

    /// The body as a stream; its errors are ours.
    pub fn into_stream(self) -> Stream {
        let chunks = futures_util::stream::try_unfold(self, |mut answer| async {
            let chunk = answer.next().await?;
            Ok::<_, Error>(chunk.map(|chunk| (chunk, answer)))
        });
        Box::pin(StreamReader::new(chunks.map_err(std::io::Error::other)))
    }

    /// The whole body, which must be short.
    pub async fn read(&mut self, limit: usize, cancel: &CancelToken) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(cancel).await? {
            if body.len() + chunk.len() > limit {
                return Err(Error::bad_answer("an answer that is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The error that a refusal means.
    pub async fn refusal(mut self, cancel: &CancelToken) -> Error {
        match self.read(errors::MAX_BODY, cancel).await {
            Err(Error::Cancelled) => Error::Cancelled,
            body => errors::refusal(self.status, self.retry_after(), &body.unwrap_or_default()),
        }
    }

    /// The error that a refusal means, of a request that would have given something a name.
    pub async fn name_refusal(mut self, cancel: &CancelToken) -> Error {
        match self.read(errors::MAX_BODY, cancel).await {
            Err(Error::Cancelled) => Error::Cancelled,
            body => {
                errors::name_refusal(self.status, self.retry_after(), &body.unwrap_or_default())
            }
        }
    }

    pub fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH)?.parse().ok()
    }

    pub fn content_range(&self) -> Option<&str> {
        self.header(CONTENT_RANGE)
    }

    fn retry_after(&self) -> Option<Duration> {
        let seconds: u64 = self.header(RETRY_AFTER)?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds.min(24 * 3600)))
    }

    fn header(&self, name: HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }
}

fn tls_config(extra_roots_pem: Option<&str>) -> Result<rustls::ClientConfig> {
    let mut roots =
        rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(pem) = extra_roots_pem {
        let bad = || Error::invalid("extra roots that are no PEM certificates");
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots
                .add(certificate.map_err(|_| bad())?)
                .map_err(|_| bad())?;
            found += 1;
        }
        if found == 0 {
            return Err(bad());
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::bug("TLS versions"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn client(tls: &rustls::ClientConfig, patience: &Patience) -> Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .user_agent(concat!("lomme/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(patience.connect)
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .build()
        .map_err(|_| Error::bug("the HTTP client cannot be built"))
}

/// A URL that a token may be sent to.
pub(crate) fn safe_url(url: &str) -> Result<Url> {
    let url = Url::parse(url).map_err(|_| Error::invalid("not a URL"))?;
    let safe = match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => is_loopback(&url),
        _ => false,
    };
    if safe && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(Error::invalid(
            "a URL that is neither https nor this machine",
        ))
    }
}

/// Whether the host is this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// What went wrong, without the URL: it holds file names.
fn describe(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else {
        "the connection broke"
    };
    match std::error::Error::source(error).and_then(root_of) {
        Some(cause) => format!("{what}: {cause}"),
        None => what.into(),
    }
}

/// The part of an error that can be told: what TLS or the operating system said.
fn root_of(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(format!("TLS: {tls}"));
    }
    let Some(io) = error.downcast_ref::<std::io::Error>() else {
        return root_of(error.source()?);
    };
    match io.get_ref() {
        Some(inner) => root_of(inner),
        None => Some(io.kind().to_string()),
    }
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
