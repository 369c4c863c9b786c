//! Whether a connection's client takes what it is sent.
//!
//! A break that was asked for at byte N must come after N bytes have left: what hyper still holds would be
//! dropped with the connection, though it was counted as sent. No fixed wait is long enough for a
//! slow client, so the body asks here. Body and stream are polled by one task, which is what ties them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

tokio::task_local! {
    static BLOCKED: Arc<AtomicBool>;
}

/// Whether something waits for the client of this task's connection to read.
pub fn is_blocked() -> bool {
    BLOCKED
        .try_with(|blocked| blocked.load(Ordering::Relaxed))
        .unwrap_or(false)
}

/// Runs `serve` on `stream`, so that [`is_blocked`] works in it.
pub async fn watched<S, F: Future>(stream: S, serve: impl FnOnce(Watched<S>) -> F) -> F::Output {
    let blocked = Arc::<AtomicBool>::default();
    let stream = Watched {
        stream,
        blocked: blocked.clone(),
    };
    BLOCKED.scope(blocked, serve(stream)).await
}

/// A stream that notes when it can't be written to.
pub struct Watched<S> {
    stream: S,
    blocked: Arc<AtomicBool>,
}

impl<S> Watched<S> {
    fn noted<T>(&self, poll: Poll<T>) -> Poll<T> {
        self.blocked.store(poll.is_pending(), Ordering::Relaxed);
        poll
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.noted(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.noted(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        self.noted(poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
