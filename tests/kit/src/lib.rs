//! What every suite is built on: relay processes that can be killed and restarted in place, sources that keep what is
//! not acked and send it again, watchers that record everything they see, and one client each for HTTP and for the
//! sockets.
//!
//! Nothing here replaces a part of the product, and nothing is measured against a clock: the only time limit,
//! [`patiently`], turns a hang into a failure. `MIEN_RELAY`, which `cargo xtask test` sets, names the relay's program;
//! without it, the program is taken from the target folder. Suites with plain threads wait with [`blocking::block_on`].

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

/// Far more than anything here takes, even on a machine that builds ten other things.
pub const PATIENCE: Duration = Duration::from_mins(5);
/// Between two checks of something that cannot notify us.
const POLL: Duration = Duration::from_millis(20);

/// Waits for `work`; a hang fails the test instead of the whole run.
pub async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    let Ok(done) = tokio::time::timeout(PATIENCE, work).await else {
        panic!("waited {} s for {what}", PATIENCE.as_secs())
    };
    done
}

/// A server that leaves syncing to the kernel: these tests kill processes, not machines, and a machine that builds and
/// tests other things at the same time takes seconds to sync. `None` if there is no Postgres.
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
