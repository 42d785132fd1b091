//! What every suite stands on: relay processes that can be killed and started again in place, sources that keep what is
//! not acked and send it again, watchers that note all they see, and one client each of HTTP and of the sockets.
//!
//! Nothing here stands in for a part of the product, and nothing is measured against a clock: the one limit
//! of time, [`patiently`], turns a hang into a failure. The relay's program is named by `MIEN_RELAY`, which
//! `cargo xtask test` sets; without it, it is taken from the target folder. Suites of plain threads wait with
//! [`blocking::block_on`].

pub mod api;
pub mod blocking;
pub mod database;
pub mod fill;
pub mod http;
pub mod load;
pub mod parts;
pub mod ports;
pub mod program;
pub mod relay;
pub mod samples;
pub mod socket;
pub mod source;
pub mod stored;
pub mod tmpfs;
pub mod watcher;

use std::time::Duration;

use mien_servers::Postgres;

/// Far beyond what anything here takes, also on a machine that builds ten other things.
pub const PATIENCE: Duration = Duration::from_mins(5);
/// Between two looks at something that cannot tell by itself.
const POLL: Duration = Duration::from_millis(20);

/// Waits for `work`; a hang fails the test instead of the whole run.
pub async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    let Ok(done) = tokio::time::timeout(PATIENCE, work).await else {
        panic!("waited {} s for {what}", PATIENCE.as_secs())
    };
    done
}

/// A server that leaves the disk to the kernel: what these tests kill are processes, and a machine that builds
/// and tests other things at the same time takes seconds to sync. `None` where there is no Postgres.
#[track_caller]
pub fn postgres() -> Option<Postgres> {
    let server = Postgres::if_present()?;
    let url = server.url("postgres");
    server.sql(&url, "ALTER SYSTEM SET fsync = off");
    server.sql(&url, "SELECT pg_reload_conf()");
    Some(server)
}

/// Asks until the answer is yes.
pub async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    patiently(what, async {
        while !ask().await {
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
}
