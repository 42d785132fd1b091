//! Accepts connections, answers them, and shuts down in order.
//!
//! After a signal, readiness turns false; sockets accept no more, have what they accepted committed and acked, and
//! close with 1012; then HTTP requests in progress finish, and nothing is accepted any more. A second signal, or the
//! time limit, ends everything at once.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::Context;
use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::signals::Signals;
use crate::app::AppState;
use crate::config::Config;
use crate::connections::{self, Served};
use crate::drain::Drain;
use crate::http;
use crate::lifecycle::retention;
use crate::observe::metrics::Metrics;
use crate::router;
use crate::store::Store;

/// Connections that the system queues until they are accepted. Any beyond have to try again, which takes a second: the
/// 128 of mio (1.2) are few when thousands come at once.
const BACKLOG: u32 = 4_096;

/// Serves until a signal ends it.
///
/// Boxed, as is [`serve`], so that a program that polls it does not compile the whole relay again.
pub fn run(config: Config) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(serve_until_signal(config))
}

async fn serve_until_signal(mut config: Config) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    connections::fit(&mut config);
    let store =
        Store::open(&config.database_url, config.database_max_connections, metrics.pool_wait_seconds.clone())
            .await?;
    let listener = listen_on(config.listen)?;
    let for_metrics = config.metrics_listen.map(listen_on).transpose()?;
    let address = listener.local_addr()?;
    let state = AppState::new(config, store, metrics);
    // Before anyone learns that the relay is there, and so may end it.
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
        served = serve_until_drained(listener, for_metrics, state) => served,
        () = second_signal => anyhow::bail!("ended by a second signal"),
    }
}

fn listen_on(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Connections that are still closing must not keep the next relay from starting.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().with_context(|| format!("cannot listen on {address}"))
}

/// Serves on `listener` until the state's drain has begun and everything is finished.
pub fn serve(listener: TcpListener, state: AppState) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(serve_until_drained(listener, None, state))
}

/// The same, with a listener that answers `/metrics` alone.
pub fn serve_with_metrics(
    listener: TcpListener,
    for_metrics: TcpListener,
    state: AppState,
) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(serve_until_drained(listener, Some(for_metrics), state))
}

async fn serve_until_drained(
    listener: TcpListener,
    for_metrics: Option<TcpListener>,
    state: AppState,
) -> anyhow::Result<()> {
    let janitor = tokio::spawn(retention::run(state.clone()));
    let closing = Drain::default();
    // Each connection holds a sender; the receiver ends when the last is gone.
    let (alive, mut all_gone) = mpsc::channel::<Infallible>(1);
    let served = |router| Served::new(&state.config, router, state.drain.clone(), closing.clone());
    let all = connections::accept(listener, served(router::router(state.clone())), alive.clone());
    let metrics = async {
        let Some(listener) = for_metrics else {
            drop(alive);
            return std::future::pending().await;
        };
        connections::accept(listener, served(http::router::metrics_routes(&state)), alive).await
    };
    let deadline = tokio::select! {
        never = all => match never {},
        never = metrics => match never {},
        // Connections are still accepted in the meantime, so that health checks see that the relay is not ready.
        deadline = sockets_closed(&state) => deadline,
    };
    closing.begin();
    let finish = async {
        // Clients that read slowly, or not at all, do not keep the rest from ending cleanly.
        if tokio::time::timeout(state.config.shutdown / 4, all_gone.recv()).await.is_err() {
            tracing::warn!("some requests were cut off");
        }
        state.batcher.flush_all().await;
        state.replicas.flush().await;
        // The next start erases what is left.
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

/// Returns once the drain has begun and every socket is closed, or half of the time is up: the rest is for what comes
/// after. Returns the time by which everything must be done.
async fn sockets_closed(state: &AppState) -> Instant {
    state.drain.begun().await;
    let begun = Instant::now();
    // When all permits are back, no socket is left that has said hello.
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
