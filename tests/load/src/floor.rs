//! The floor: a bare axum server that reads messages with the contract's own reader and acks them, and passes each on
//! to its watchers unchanged. It checks no token, stores nothing and guarantees nothing: it costs what any relay on
//! this library must pay.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use futures_util::FutureExt as _;
use mien_shared::protocol::{IngestMessage, IngestReply, read_ingest};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// The same as the relay's: with the library's own 128 KiB each, memory figures would say nothing.
const BUFFER_BYTES: usize = 4 * 1024;
/// Messages that a watcher may lag behind.
const BEHIND: usize = 1_024;
const WELCOME: &str = r#"{"type":"welcome"}"#;

/// What is passed on.
type News = broadcast::Sender<Utf8Bytes>;

#[tokio::main]
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("mien-load listens on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // A stream that is already closed will report that when it is read.
        let _ = stream.set_nodelay(true);
    });
    let routes = Router::new().route("/ingest", get(ingest)).route("/watch", get(watch));
    axum::serve(listener, routes.with_state(News::new(BEHIND))).await?;
    Ok(())
}

fn small(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade.protocols(["mien.v1"]).read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES)
}

async fn ingest(upgrade: WebSocketUpgrade, State(news): State<News>) -> Response {
    small(upgrade).on_upgrade(|mut socket| async move {
        if let Some(Ok(_hello)) = socket.recv().await
            && socket.send(Message::Text(WELCOME.into())).await.is_ok()
        {
            ack_all(socket, news).await;
        }
    })
}

/// One ack for everything that has arrived.
async fn ack_all(mut socket: WebSocket, news: News) {
    while let Some(Ok(message)) = socket.recv().await {
        let mut through = last_seq(&message, &news);
        while let Some(Some(Ok(message))) = socket.recv().now_or_never() {
            through = last_seq(&message, &news).or(through);
        }
        let Some(through) = through else { return };
        let Ok(text) = serde_json::to_string(&IngestReply::Ack { through }) else { return };
        if socket.send(Message::Text(text.into())).await.is_err() {
            return;
        }
    }
}

fn last_seq(message: &Message, news: &News) -> Option<u64> {
    let Message::Text(text) = message else { return None };
    let Ok(IngestMessage::Samples(samples)) = read_ingest(text) else { return None };
    if news.receiver_count() > 0 {
        // Fails if the last watcher has just left.
        let _ = news.send(text.clone());
    }
    samples.last()?.as_ref().ok().map(|sample| sample.seq)
}

async fn watch(upgrade: WebSocketUpgrade, State(news): State<News>) -> Response {
    small(upgrade).on_upgrade(|mut socket| async move {
        let mut news = news.subscribe();
        if let Some(Ok(_hello)) = socket.recv().await
            && socket.send(Message::Text(WELCOME.into())).await.is_ok()
        {
            while let Ok(text) = news.recv().await
                && socket.send(Message::Text(text)).await.is_ok()
            {}
        }
    })
}
