//! A relay in the test's own process, on a loopback listener and a real store, and clients of it. Everything that it
//! says over HTTP or a socket is checked against the documents that it serves.
//!
//! Separate from `mien-kit`, so that what only starts processes is not recompiled with the relay.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

pub mod client;
pub mod conformance;
pub mod document;
pub mod http;
pub mod lock;
pub mod relay;
pub mod samples;

pub use mien_kit::http::{Answer, request};
pub use mien_kit::relay::SECRET;
pub use relay::{FUTURE, Relay};

use std::time::Duration;

/// A hang fails the test instead of the whole run; nothing is measured against it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two checks of something that cannot notify us.
const POLL: Duration = Duration::from_millis(5);

pub async fn patiently<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it hangs")
}

/// Returns once this holds.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    patiently(async {
        // Boxed, as the future may be large.
        while !Box::pin(holds()).await {
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
}
