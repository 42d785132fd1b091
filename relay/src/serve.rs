//! Serving: accept connections, answer them, and end in order.
//!
//! The end, once a signal came: readiness turns false; sockets take no more, have what they took committed
//! and acked, and close with 1012; then HTTP requests under way finish, and nothing is accepted any more. A
//! second signal, or the time limit, ends at once.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tower::Service;

use crate::app::{self, AppState};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::retention;
use crate::shutdown::{Drain, Signals};
use crate::store::Store;

/// Pause after a connection could not be accepted, as when no file handle is left: trying again at once would
/// only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections that ask over HTTP, at most, and at a time. Others wait to be accepted.
const MAX_ASKING: usize = 1_024;
/// Handles that the relay needs beside its WebSockets: of those who ask, of the store, of Redis, and some to spare.
const OTHER_HANDLES: usize = MAX_ASKING + 256;
/// Bytes of request headers at most.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Serves until a signal ends it.
///
/// Boxed, as is [`serve`], so that a program that polls it need not compile the whole relay anew.
pub fn run(config: Config) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(serve_until_signal(config))
}

async fn serve_until_signal(config: Config) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    raise_handle_limit(config.max_connections + OTHER_HANDLES);
    let store = Store::open(&config.database_url, config.database_max_connections, &metrics).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let state = AppState::new(config, store, metrics);
    // Before anyone is told that the relay is there, and so may end it.
    let mut signals = Signals::catch().context("signals cannot be caught")?;
    println!("mien-relay listens on http://{address}");
    tracing::info!(%address, "serving");
    let drain = state.drain.clone();
    let second_signal = async {
        signals.next().await;
        tracing::info!("shutting down");
        drain.begin();
        signals.next().await;
    };
    tokio::select! {
        served = serve(listener, state) => served,
        () = second_signal => anyhow::bail!("ended by a second signal"),
    }
}

/// Every socket is a handle, and shells and service managers often allow no more than 1,024: takes as many as
/// the system lets this process have.
fn raise_handle_limit(wanted: usize) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let handles = if raised.is_ok() { maximum } else { current };
    if handles.is_some_and(|handles| handles < wanted as u64) {
        tracing::warn!(
            handles,
            wanted,
            "the system allows fewer handles than MIEN_MAX_CONNECTIONS needs; raise its limit (ulimit -n, LimitNOFILE=)"
        );
    }
}

/// Serves on `listener` until the state's drain has begun and everything is finished.
pub fn serve(listener: TcpListener, state: AppState) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(serve_until_drained(listener, state))
}

async fn serve_until_drained(listener: TcpListener, state: AppState) -> anyhow::Result<()> {
    let janitor = tokio::spawn(retention::run(state.clone()));
    let closing = Drain::default();
    // Each connection holds a sender; the receiver ends when the last is gone.
    let (alive, mut all_gone) = mpsc::channel::<Infallible>(1);
    let deadline = tokio::select! {
        never = accept(listener, &state, &closing, alive) => match never {},
        // Still accepting meanwhile, so that whoever asks is told that the relay is not ready.
        deadline = sockets_closed(&state) => deadline,
    };
    closing.begin();
    let finish = async {
        // Whoever reads slowly, or not at all, does not keep the rest from ending in order.
        if tokio::time::timeout(state.config.shutdown / 4, all_gone.recv()).await.is_err() {
            tracing::warn!("some requests were cut off");
        }
        state.batcher.flush_all().await;
        state.replicas.farewell().await;
        // What it has not erased yet is erased after the next start.
        janitor.abort();
        let _ = janitor.await;
        state.store.close().await;
    };
    match tokio::time::timeout_at(deadline, finish).await {
        Ok(()) => Ok(()),
        Err(_) => {
            anyhow::bail!("the shutdown took longer than MIEN_SHUTDOWN_SECONDS")
        }
    }
}

/// Returns once the drain has begun and every socket is closed, or half of the time is up: the rest is for
/// what comes after. Gives the time at which all must be done.
async fn sockets_closed(state: &AppState) -> Instant {
    state.drain.begun().await;
    let begun = Instant::now();
    // All permits back means that no socket is left, of those that have said hello.
    let permits = u32::try_from(state.config.max_connections).unwrap_or(u32::MAX);
    let all = async {
        state.pending.none_left().await;
        let _ = state.connections.acquire_many(permits).await;
    };
    if tokio::time::timeout_at(begun + state.config.shutdown / 2, all).await.is_err() {
        tracing::warn!("some sockets did not close in time");
    }
    begun + state.config.shutdown
}

/// Accepts for ever.
async fn accept(
    listener: TcpListener,
    state: &AppState,
    closing: &Drain,
    alive: mpsc::Sender<Infallible>,
) -> Infallible {
    let router = app::router(state.clone());
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(state.config.timings.headers)
        .max_buf_size(MAX_HEADER_BYTES);
    let asking = Arc::new(Semaphore::new(MAX_ASKING));
    loop {
        let permit = Arc::clone(&asking).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                // One that takes nothing for so long is as good as silent.
                limit_stalls(&stream, state.config.timings.silence);
                let talk = talk(server.clone(), stream, peer, router.clone(), closing.clone());
                let alive = alive.clone();
                tokio::spawn(async move {
                    talk.await;
                    drop((alive, permit));
                });
            }
            Err(cause) => {
                tracing::warn!(%cause, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
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
async fn talk(server: http1::Builder, stream: TcpStream, peer: SocketAddr, router: Router, closing: Drain) {
    // Acks are small and waited for.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request.map(Body::new))
    });
    let connection = server.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.begun() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        // A peer that went away or did not speak HTTP: its own affair.
        tracing::debug!(%cause, "a connection ended early");
    }
}
