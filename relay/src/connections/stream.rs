//! A TCP stream that tells its [`Link`] what comes and goes, for as long as it speaks HTTP. A WebSocket's costs nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::net::RecvFlags;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::link::Link;

/// Bytes that wait in the system for a peer to have room, of a large answer. Otherwise it may hold megabytes, and takes
/// more only when a third of them are gone: a slow peer would seem to take nothing for minutes.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 128 * 1024;

#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    /// `None` once it is a WebSocket, which has time limits of its own.
    link: Option<Arc<Link>>,
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    is_fine: bool,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, link: Arc<Link>) -> Self {
        Self { stream, link: Some(link), is_fine: false }
    }

    fn link(&mut self) -> Option<&Arc<Link>> {
        if self.link.as_ref().is_some_and(|link| link.is_upgraded()) {
            self.link = None;
        }
        self.link.as_ref()
    }

    /// Whether the system holds bytes that nobody has read: the runtime may not have been told of them yet.
    fn has_unread(&self) -> bool {
        let mut byte = [0];
        let found = rustix::net::recv(&self.stream, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT);
        found.is_ok_and(|(_, bytes)| bytes > 0)
    }

    fn before_write(&mut self) {
        #[cfg(target_os = "linux")]
        if !self.is_fine && self.link().is_some_and(|link| link.is_large()) {
            self.is_fine = true;
            // Without it a peer is only seen to be slow later.
            let _ = socket2::SockRef::from(&self.stream).set_tcp_notsent_lowat(UNSENT_BYTES);
        }
    }

    fn after_write(&mut self, written: &Poll<io::Result<usize>>) {
        if let Some(link) = self.link() {
            match written {
                Poll::Ready(Ok(bytes)) => link.took(*bytes),
                Poll::Pending => link.is_blocked(),
                Poll::Ready(Err(_)) => {}
            }
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(task, buffer);
        let Some(link) = self.link() else { return read };
        match read {
            Poll::Ready(Ok(())) if buffer.filled().len() > before => link.heard(),
            // As if the peer had hung up, so that the server ends in order.
            Poll::Pending if link.should_go() && !self.has_unread() => return Poll::Ready(Ok(())),
            _ => {}
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.before_write();
        let written = Pin::new(&mut self.stream).poll_write(task, bytes);
        self.after_write(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.before_write();
        let written = Pin::new(&mut self.stream).poll_write_vectored(task, parts);
        self.after_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// The server calls it when it has handed over all that it had.
    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(link) = self.link() {
            link.flushed();
        }
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
