//! Whether this relay hears the other relays, for those who must know.

use std::sync::Arc;

use tokio::sync::watch;

use crate::live::{DirtySessions, Hub};
use crate::observe::metrics::Metrics;

#[derive(Debug)]
pub(crate) struct LinkState {
    /// Whether everything that others send is received.
    pub(crate) connected: watch::Sender<bool>,
    /// Watched sessions that must be read from the store.
    pub(crate) look: Arc<DirtySessions>,
    pub(crate) metrics: Metrics,
}

impl LinkState {
    /// Says whether the others are heard. Every watched session is looked at whenever that changes.
    pub(super) fn set_connected(&self, connected: bool) {
        self.metrics.redis_linked.set(connected.into());
        self.connected.send_if_modified(|was| std::mem::replace(was, connected) != connected);
    }

    pub(super) fn look_at_all(&self, hub: &Hub) {
        for live in hub.all() {
            if live.is_watched() {
                self.look.mark(live.id());
            }
        }
    }
}
