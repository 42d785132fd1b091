//! Accepting connections, and answering each until it ends or is upgraded.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tower::Service;

use super::base_path;
use super::body::{Answered, Uploaded};
use super::link::Due;
use super::stream::Watched;
use super::{Connections, Place};
use crate::config::{Config, Timeouts};
use crate::serve::shutdown::Drain;

/// Pause after a connection could not be accepted, as when no handle is left: trying again at once would only burn the
/// processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Failures are logged this often at most.
const LOG_PAUSE: Duration = Duration::from_mins(1);
/// Connections that were asked to go and are not gone yet, before the next is accepted.
const MOST_GOING: usize = 256;
/// Bytes of request headers at most.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// For a connection that there is no handle for but the spare one.
const NO_HANDLES: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// What the connections of one listener are answered with.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) connections: Connections,
    pub(crate) router: Router,
    /// The relay is on its way out: answers are the last of their connections.
    pub(crate) drain: Drain,
    /// Connections end as soon as they are answered.
    pub(crate) closing: Drain,
    pub(crate) base_path: Arc<str>,
    pub(crate) timeouts: Timeouts,
}

impl Served {
    pub(crate) fn new(config: &Config, router: Router, drain: Drain, closing: Drain) -> Self {
        Self {
            connections: Connections::new(config),
            router,
            drain,
            closing,
            base_path: config.base_path.as_str().into(),
            timeouts: config.timeouts,
        }
    }
}

/// Accepts for ever. Each connection holds a clone of `alive`.
pub(crate) async fn accept(
    listener: TcpListener,
    served: Served,
    alive: mpsc::Sender<Infallible>,
) -> Infallible {
    let mut server = http1::Builder::new();
    // The library's time limit on headers counts from the end of the answer before them, so it would end connections
    // that are idle (hyper 1.12); a link has one for either.
    server.header_read_timeout(None).max_buf_size(MAX_HEADER_BYTES);
    let mut failures = Failures::default();
    loop {
        served.connections.settled(MOST_GOING).await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                // One that takes nothing for so long is as good as silent.
                limit_stalls(&stream, served.timeouts.silence);
                let place = served.connections.enter(peer);
                let talk = talk(server.clone(), stream, peer, place, served.clone());
                let alive = alive.clone();
                tokio::spawn(async move {
                    talk.await;
                    drop(alive);
                });
            }
            Err(cause) => failures.endure(&listener, &cause).await,
        }
    }
}

/// Has the system break a connection whose peer takes nothing of what was sent, or says that it has no room, for
/// so long: a time limit on every write, without a timer for each.
fn limit_stalls(stream: &TcpStream, patience: Duration) {
    #[cfg(target_os = "linux")]
    {
        let patience = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        // A stream that is gone already will say so when it is read.
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, patience);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, patience);
}

/// Answers one connection until it ends, or is upgraded to a WebSocket.
async fn talk(server: http1::Builder, stream: TcpStream, peer: SocketAddr, place: Place, served: Served) {
    // Acks are small and waited for.
    let _ = stream.set_nodelay(true);
    let link = Arc::clone(&place.0);
    let Served { router, drain, closing, base_path, timeouts, .. } = served;
    let service = hyper::service::service_fn(|mut request: Request<Incoming>| {
        let is_complete = request.body().is_end_stream();
        link.requested(is_complete);
        base_path::strip(&base_path, &mut request);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(Arc::clone(&link));
        let request = request.map(|body| {
            if is_complete { Body::empty() } else { Body::new(Uploaded::new(body, Arc::clone(&link))) }
        });
        let (answer, link, drain) = (router.clone().call(request), Arc::clone(&link), drain.clone());
        async move {
            let mut answer = answer.await?;
            link.answers(&mut answer, drain.has_begun());
            Ok::<_, Infallible>(answer.map(|body| Answered::new(body, link)))
        }
    });
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&link)));
    let connection = server.serve_connection(io, service).with_upgrades();
    tokio::pin!(connection);
    let alarm = sleep_until(Instant::now() + timeouts.headers);
    tokio::pin!(alarm);
    let mut is_closing = false;
    let ended = loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => break ended,
            // Polled again, the connection finds out whether it may stay.
            () = link.told() => if link.is_cut() {
                return;
            },
            () = alarm.as_mut() => match link.due(Instant::now(), &timeouts) {
                Due::Later(next) => alarm.as_mut().reset(next),
                Due::Ask => {
                    link.ask();
                    alarm.as_mut().reset(Instant::now() + timeouts.headers);
                }
                Due::Cut => {
                    tracing::debug!("a connection has used up its time");
                    return;
                }
            },
            () = closing.begun(), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    if let Err(cause) = ended {
        // A peer that went away or did not speak HTTP: its own affair.
        tracing::debug!(%cause, "a connection ended early");
    }
}

/// Connections that could not be accepted.
#[derive(Debug)]
struct Failures {
    /// Given up to accept, and refuse, one more when there are no others.
    spare: Option<File>,
    last: Option<Instant>,
    /// Failures since the log was told.
    unsaid: u64,
}

impl Default for Failures {
    fn default() -> Self {
        Self { spare: spare(), last: None, unsaid: 0 }
    }
}

impl Failures {
    async fn endure(&mut self, listener: &TcpListener, cause: &io::Error) {
        if cause.kind() == io::ErrorKind::ConnectionAborted {
            // Its peer went away before it was accepted.
            return;
        }
        if let Some(unsaid) = self.may_tell(Instant::now()) {
            tracing::warn!(%cause, unsaid, "connections cannot be accepted");
        }
        if self.spare.take().is_some() {
            // Refused at once, rather than left to wait until handles are given back.
            if let Ok(Ok((stream, _))) = tokio::time::timeout(ACCEPT_PAUSE, listener.accept()).await {
                let _ = stream.try_read(&mut [0; 1_024]);
                let _ = stream.try_write(NO_HANDLES);
            }
        }
        self.spare = spare();
        tokio::time::sleep(ACCEPT_PAUSE / 10).await;
    }

    /// `Some` where the log may be told now, with the number of failures that it was not told of.
    fn may_tell(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.duration_since(last) < LOG_PAUSE) {
            self.unsaid += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_once_a_minute() {
        let mut failures = Failures::default();
        let start = Instant::now();
        assert_eq!(failures.may_tell(start), Some(0));
        for second in 0..60 {
            assert_eq!(failures.may_tell(start + Duration::from_secs(second)), None);
        }
        assert_eq!(failures.may_tell(start + LOG_PAUSE), Some(60));
    }
}
