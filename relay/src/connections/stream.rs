//! A TCP stream that reports reads and writes to its [`Connection`], for as long as it speaks HTTP. A WebSocket pays
//! nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::net::RecvFlags;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::connection::Connection;
use super::tracked::Tracked;

/// Limit on unsent bytes of a large answer that the system buffers. By default it may hold megabytes, and accepts more
/// only when a third of them are gone: a slow peer would seem to take nothing for minutes.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 128 * 1024;

#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    /// `None` once it is a WebSocket, which has timeouts of its own.
    tracked: Option<Tracked>,
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    is_fine: bool,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, tracked: Tracked) -> Self {
        Self { stream, tracked: Some(tracked), is_fine: false }
    }

    fn connection(&mut self) -> Option<&Connection> {
        self.tracked().map(|tracked| &*tracked.connection)
    }

    fn tracked(&mut self) -> Option<&Tracked> {
        if self.tracked.as_ref().is_some_and(|tracked| tracked.connection.is_upgraded()) {
            self.tracked = None;
        }
        self.tracked.as_ref()
    }

    /// Whether the system holds unread bytes: the runtime may not have been told of them yet.
    fn has_unread(&self) -> bool {
        let mut byte = [0];
        let found = rustix::net::recv(&self.stream, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT);
        found.is_ok_and(|(_, bytes)| bytes > 0)
    }

    fn before_write(&mut self) {
        #[cfg(target_os = "linux")]
        if !self.is_fine && self.connection().is_some_and(Connection::is_large) {
            self.is_fine = true;
            // If it fails, a slow peer is only noticed later.
            let _ = socket2::SockRef::from(&self.stream).set_tcp_notsent_lowat(UNSENT_BYTES);
        }
    }

    fn after_write(&mut self, written: &Poll<io::Result<usize>>) {
        if let Some(connection) = self.connection() {
            match written {
                Poll::Ready(Ok(bytes)) => connection.sent(*bytes),
                Poll::Pending => connection.is_blocked(),
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
        let Some(connection) = self.connection() else { return read };
        match read {
            Poll::Ready(Ok(())) if buffer.filled().len() > before => connection.received(),
            // As if the peer had closed, so that the server shuts down cleanly.
            Poll::Pending if connection.should_close() && !self.has_unread() => return Poll::Ready(Ok(())),
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

    /// The server calls this when it has handed over everything that it had.
    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(tracked) = self.tracked() {
            tracked.flushed();
        }
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
