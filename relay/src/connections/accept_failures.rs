//! Connections that could not be accepted.

use std::fs::File;
use std::io;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::observe::log_limit::LogLimit;

/// Pause after a connection could not be accepted, for example because no file descriptor is left: trying again at once
/// would only burn CPU time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const LOG_INTERVAL: Duration = Duration::from_mins(1);
/// Sent on a connection that gets the spare descriptor, because no other is left.
const NO_DESCRIPTORS: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Connections that could not be accepted.
#[derive(Debug)]
pub(super) struct AcceptFailures {
    /// Closed to accept, and refuse, one more connection when no other descriptors are left.
    spare: Option<File>,
    log: LogLimit,
}

impl Default for AcceptFailures {
    fn default() -> Self {
        Self { spare: spare(), log: LogLimit::new(LOG_INTERVAL) }
    }
}

impl AcceptFailures {
    pub(super) async fn handle(&mut self, listener: &TcpListener, cause: &io::Error) {
        if cause.kind() == io::ErrorKind::ConnectionAborted {
            // Its peer went away before it was accepted.
            return;
        }
        if let Some(unsaid) = self.log.allow() {
            tracing::warn!(%cause, unsaid, "connections cannot be accepted");
        }
        if self.spare.take().is_some() {
            // Refused at once, rather than left to wait until descriptors are free.
            if let Ok(Ok((stream, _))) = tokio::time::timeout(ACCEPT_PAUSE, listener.accept()).await {
                let _ = stream.try_read(&mut [0; 1_024]);
                let _ = stream.try_write(NO_DESCRIPTORS);
            }
        }
        self.spare = spare();
        tokio::time::sleep(ACCEPT_PAUSE / 10).await;
    }
}

fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}
