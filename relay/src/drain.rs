//! Graceful shutdown: told once, everything finishes.

use tokio::sync::watch;

/// Whether the relay is shutting down. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Drain(watch::Sender<bool>);

impl Default for Drain {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Drain {
    /// Announces the shutdown. From now on the relay reports that it is not ready.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once the drain has begun.
    pub async fn begun(&self) {
        // The sender lives in `self`, so the channel cannot close under us.
        let _ = self.0.subscribe().wait_for(|begun| *begun).await;
    }
}
