//! What leaves for other relays. The hub puts it into a bounded queue; who transports it does not concern the hub.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use tokio::sync::{mpsc, oneshot, watch};

use super::dirty::DirtySessions;
use super::ring::CommittedBatch;
use crate::observe::metrics::Metrics;

/// Batches that may wait. With the largest messages these are some 60 MB, or twice that where two are joined, and with
/// usual ones half a megabyte.
pub(crate) const OUTBOX_CAPACITY: usize = 512;

/// The hub's side of the link to other relays.
#[derive(Debug)]
pub(crate) struct RemoteLink {
    pub(crate) outbox: Outbox,
    /// Sessions that someone joined or left here.
    pub(crate) dirty: DirtySessions,
    /// Whether the others are heard.
    pub(crate) connected: watch::Receiver<bool>,
}

/// The sending end of the queue. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Outgoing>,
    metrics: Metrics,
}

#[derive(Debug)]
pub(crate) enum Outgoing {
    Batch {
        session: SessionId,
        source: SourceName,
        batch: CommittedBatch,
    },
    /// Answered once sending has been attempted for everything before it.
    Flush(oneshot::Sender<()>),
}

impl Outbox {
    pub(crate) fn new(metrics: Metrics) -> (Self, mpsc::Receiver<Outgoing>) {
        let (queue, inbox) = mpsc::channel(OUTBOX_CAPACITY);
        (Self { queue, metrics }, inbox)
    }

    /// Queues a committed batch, or drops it if there is no room. Never waits.
    pub(crate) fn offer(&self, session: SessionId, source: SourceName, batch: CommittedBatch) {
        match self.queue.try_send(Outgoing::Batch { session, source, batch }) {
            Ok(()) => _ = self.metrics.redis_queue.inc(),
            Err(_) => _ = self.metrics.redis_dropped.inc(),
        }
    }

    /// Returns once everything queued before has left or was dropped.
    pub(crate) async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.queue.send(Outgoing::Flush(done)).await.is_ok() {
            self.metrics.redis_queue.inc();
            let _ = wait.await;
        }
    }
}
