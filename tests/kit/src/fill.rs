//! A long recording, as fast as the relay takes it.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use mien_shared::api::SessionCreated;
use mien_shared::limits::MAX_BATCH;
use mien_shared::protocol::{IngestReply, IngestRequest};
use tokio_tungstenite::tungstenite::Message;

use crate::samples::sample;
use crate::socket::{Kind, connect, hear, say};
use crate::wait::patiently;

/// Stores samples with these numbers, with one face each, in the session's source `main`.
pub async fn fill(address: SocketAddr, session: &SessionCreated, seqs: impl Iterator<Item = u64>) {
    let mut socket =
        connect(address, session.session.id, Kind::Ingest, None).await.expect("the relay is there");
    say(&mut socket, &IngestRequest::Hello { token: &session.tokens.ingest }).await.expect("it listens");
    let Ok(IngestReply::Welcome(_)) = hear(&mut socket).await else { panic!("not a welcome") };
    let (mut to, mut from) = socket.split();
    let (sent, mut last) = tokio::sync::watch::channel(None);
    let send = async {
        let mut seqs = seqs.peekable();
        let mut through = 0;
        while seqs.peek().is_some() {
            let samples: Vec<_> = seqs.by_ref().take(MAX_BATCH).map(|seq| sample(seq, 1)).collect();
            through = samples.last().map_or(through, |sample| sample.seq);
            let text = serde_json::to_string(&IngestRequest::Samples { samples: &samples });
            to.send(Message::text(text.expect("samples are plain JSON"))).await.expect("it listens");
        }
        sent.send_replace(Some(through));
    };
    let hear_all = async {
        let mut acked = 0;
        loop {
            tokio::select! {
                reply = hear::<IngestReply>(&mut from) => match reply {
                    Ok(IngestReply::Ack { through }) => acked = through,
                    other => panic!("not an ack: {other:?}"),
                },
                _ = last.changed() => {}
            }
            if *last.borrow() == Some(acked) {
                return;
            }
        }
    };
    patiently("all samples to be stored", async { tokio::join!(send, hear_all) }).await;
}
