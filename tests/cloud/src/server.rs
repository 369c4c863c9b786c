//! Accepts connections, tells the APIs apart by path, lets trouble in.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::body::{Broken, Reply};
use crate::refusal::Refusal;
use crate::state::State;
use crate::{CloudError, Tls, account, auth, control, events, files, flow, jfs, public};

/// The server's own threads.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Running {
    /// Frees the port and ends the threads. May be called inside another runtime, which must not block itself.
    pub fn stop(mut self) {
        if let Some(runtime) = self.runtime.take() {
            let ended = std::thread::spawn(move || {
                runtime.shutdown_timeout(std::time::Duration::from_secs(2));
            });
            let _ = ended.join();
        }
    }
}

/// Starts serving on threads of its own.
pub fn start(state: Arc<State>, port: u16, tls: Option<&Tls>) -> Result<Running, CloudError> {
    let io = |what| move |source| CloudError::Io { what, source };
    let acceptor = tls.map(acceptor).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("local-cloud")
        .enable_all()
        .build()
        .map_err(io("threads"))?;
    let listener =
        std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(io("the port"))?;
    listener.set_nonblocking(true).map_err(io("the port"))?;
    let address = listener.local_addr().map_err(io("the port"))?;
    let listener = {
        let _inside = runtime.enter();
        TcpListener::from_std(listener).map_err(io("the port"))?
    };
    runtime.spawn(accept(state, listener, acceptor));
    Ok(Running {
        address,
        runtime: Some(runtime),
    })
}

fn acceptor(tls: &Tls) -> Result<TlsAcceptor, CloudError> {
    let wrong = |error: &dyn std::fmt::Display| CloudError::Tls(error.to_string());
    let chain = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| wrong(&e))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|e| wrong(&e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(&e))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| wrong(&e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(state: Arc<State>, listener: TcpListener, acceptor: Option<TlsAcceptor>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let state = state.clone();
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            match acceptor {
                None => connection(state, stream, "http").await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        connection(state, stream, "https").await;
                    }
                }
            }
        });
    }
}

async fn connection<S>(state: Arc<State>, stream: S, scheme: &'static str)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let state = state.clone();
        async move { answer(&state, request, scheme).await }
    });
    // An error here is a client that went away or a break that was asked for.
    let _ = flow::watched(stream, |stream| {
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    })
    .await;
}

/// Which API a request speaks to; each says no in its own way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Api {
    Jfs,
    Customer,
    Files,
    Auth,
    Public,
    Events,
    Local,
    Nothing,
}

fn api_of(path: &str) -> Api {
    match path {
        _ if path == "/jfs" || path.starts_with("/jfs/") => Api::Jfs,
        "/account/v1/customer" => Api::Customer,
        _ if path.starts_with("/files/v1/") => Api::Files,
        _ if path.starts_with("/auth/realms/") => Api::Auth,
        _ if path.starts_with("/opin/io/") => Api::Public,
        _ if path.starts_with("/rest/token/") || path.starts_with("/ws/") => Api::Events,
        _ if path.starts_with("/_local/") => Api::Local,
        _ => Api::Nothing,
    }
}

/// One request: count it, ask trouble for its plan, work, spoil the answer as planned.
async fn answer(
    state: &Arc<State>,
    mut request: Request<Incoming>,
    scheme: &'static str,
) -> io::Result<Reply> {
    let api = api_of(request.uri().path());
    let (kind, path) = match api {
        Api::Jfs => (
            jfs::kind_of(&request),
            jfs::plain_path(request.uri().path()),
        ),
        Api::Customer => ("customer", String::new()),
        Api::Files => (files::kind_of(request.uri().path()), String::new()),
        Api::Auth => (auth::Auth::kind(request.uri().path()), String::new()),
        Api::Public => ("public", String::new()),
        Api::Events => (events::kind_of(request.uri().path()), String::new()),
        // Control must work whatever trouble is in force, and is nobody's business.
        Api::Local => return Ok(said(api, control::handle(state, request, scheme).await)),
        Api::Nothing => ("other", String::new()),
    };
    state.counts.request(kind);
    let plan = state.trouble.plan_for(request.method(), kind, &path);
    plan.before_work(state).await;
    if plan.ignores_range() {
        request.headers_mut().remove(hyper::header::RANGE);
    }
    let instead = plan.instead(|refusal| said(api, Err(refusal)));
    let reply = match instead {
        Some(reply) => reply,
        None => said(api, work(state, api, request, scheme, &plan).await),
    };
    plan.before_answer(state).await;
    if plan.loses_answer() || reply.extensions().get::<Broken>().is_some() {
        return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
    }
    Ok(plan.spoil(state, reply))
}

async fn work(
    state: &Arc<State>,
    api: Api,
    request: Request<Incoming>,
    scheme: &'static str,
    plan: &crate::trouble::Plan,
) -> Result<Reply, Refusal> {
    if matches!(api, Api::Jfs | Api::Customer | Api::Files) {
        state.auth.check(request.headers())?;
    }
    match api {
        Api::Jfs => jfs::handle(state, request).await,
        Api::Customer => account::customer(state).await,
        Api::Files => files::handle(state, request, scheme, plan).await,
        Api::Auth => auth::handle(state, request, scheme).await,
        Api::Public => public::handle(state, request).await,
        Api::Events => events::handle(state, request).await,
        Api::Local => control::handle(state, request, scheme).await,
        Api::Nothing => Err(Refusal::not_found("no such page")),
    }
}

fn said(api: Api, result: Result<Reply, Refusal>) -> Reply {
    result.unwrap_or_else(|refusal| match api {
        Api::Jfs | Api::Public | Api::Events | Api::Nothing => refusal.as_xml(),
        Api::Customer | Api::Files | Api::Auth | Api::Local => refusal.as_json(),
    })
}
