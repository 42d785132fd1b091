//! How the relay ends: told once, everyone finishes, nobody waits for ever.

use tokio::sync::watch;

/// Whether the relay is on its way out. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Drain(watch::Sender<bool>);

impl Default for Drain {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Drain {
    /// Tells everyone. From now on the relay says that it is not ready.
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

/// Returns at the first SIGTERM or SIGINT.
pub async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            },
            Err(cause) => {
                tracing::warn!(%cause, "SIGTERM cannot be caught");
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
