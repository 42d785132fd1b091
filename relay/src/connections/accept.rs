//! Accepting connections, and answering each until it ends or is upgraded.

use std::convert::Infallible;
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

use super::accept_failures::AcceptFailures;
use super::base_path;
use super::body::{Answered, Uploaded};
use super::connection::Due;
use super::registry::Connections;
use super::stream::Watched;
use super::tracked::{Entry, Tracked};
use crate::config::{Config, Timeouts};
use crate::drain::Drain;

/// Maximum number of connections that were asked to close and have not done so, before the next is accepted.
const MAX_CLOSING: usize = 256;
/// Maximum size of request headers in bytes.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// What serves the connections of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) connections: Connections,
    pub(crate) router: Router,
    /// The relay is shutting down: each answer is the last on its connection.
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
    // hyper (1.12) counts its timeout of headers from the end of the answer before them, so it would end idle
    // connections; ours has one for each.
    server.header_read_timeout(None).max_buf_size(MAX_HEADER_BYTES);
    let mut failures = AcceptFailures::default();
    loop {
        served.connections.settled(MAX_CLOSING).await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                // A peer that takes nothing for this long counts as silent.
                limit_stalls(&stream, served.timeouts.silence);
                let entry = Entry(Tracked {
                    connection: served.connections.enter(peer),
                    connections: served.connections.clone(),
                });
                let serve = serve(server.clone(), stream, peer, entry, served.clone());
                let alive = alive.clone();
                tokio::spawn(async move {
                    serve.await;
                    drop(alive);
                });
            }
            Err(cause) => failures.handle(&listener, &cause).await,
        }
    }
}

/// Makes the system break a connection whose peer acknowledges nothing, or has no room, for this long: a timeout for
/// every write, without a timer for each.
fn limit_stalls(stream: &TcpStream, patience: Duration) {
    #[cfg(target_os = "linux")]
    {
        let patience = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        // A stream that is closed already will say so when it is read.
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, patience);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, patience);
}

/// Answers one connection until it ends, or is upgraded to a WebSocket.
async fn serve(server: http1::Builder, stream: TcpStream, peer: SocketAddr, entry: Entry, served: Served) {
    // Acks are small, and the peer waits for them.
    let _ = stream.set_nodelay(true);
    let tracked = entry.0.clone();
    let connection = Arc::clone(&tracked.connection);
    let Served { router, drain, closing, base_path, timeouts, .. } = served;
    let service = hyper::service::service_fn(|mut request: Request<Incoming>| {
        let is_complete = request.body().is_end_stream();
        tracked.requested(is_complete);
        base_path::strip(&base_path, &mut request);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(tracked.clone());
        let request = request.map(|body| {
            if is_complete { Body::empty() } else { Body::new(Uploaded::new(body, tracked.clone())) }
        });
        let (answer, tracked, drain) = (router.clone().call(request), tracked.clone(), drain.clone());
        async move {
            let mut answer = answer.await?;
            tracked.answers(&mut answer, drain.has_begun());
            Ok::<_, Infallible>(answer.map(|body| Answered::new(body, tracked)))
        }
    });
    let io = TokioIo::new(Watched::new(stream, tracked.clone()));
    let served = server.serve_connection(io, service).with_upgrades();
    tokio::pin!(served);
    let timer = sleep_until(Instant::now() + timeouts.headers);
    tokio::pin!(timer);
    let mut is_closing = false;
    let ended = loop {
        tokio::select! {
            biased;
            ended = served.as_mut() => break ended,
            // When polled again, the stream finds out whether it may stay.
            () = connection.notified() => if connection.is_cut() {
                return;
            },
            () = timer.as_mut() => match connection.due(Instant::now(), &timeouts) {
                Due::Later(next) => timer.as_mut().reset(next),
                Due::RequestClose => {
                    connection.request_close();
                    timer.as_mut().reset(Instant::now() + timeouts.headers);
                }
                Due::Cut => {
                    tracing::debug!("a connection has used up its time");
                    return;
                }
            },
            () = closing.begun(), if !is_closing => {
                is_closing = true;
                served.as_mut().graceful_shutdown();
            }
        }
    };
    if let Err(cause) = ended {
        // The peer went away or did not speak HTTP.
        tracing::debug!(%cause, "a connection ended early");
    }
}
