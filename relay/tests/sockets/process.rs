//! The real binary, over a SQLite file in a folder that the test keeps.

use std::path::Path;

use mien_kit::relay::{Limits, Relay, Setup};
use mien_relay::observe::metrics::Metrics;
use mien_relay::store::Store;
use rustix::process::Signal;

pub(crate) async fn start(folder: &Path, settings: &[(&str, &str)]) -> Relay {
    // Asked for now: in a copied checkout, what was compiled in is the one that was copied.
    let program = std::env::var_os("CARGO_BIN_EXE_mien-relay").map(Into::into);
    let setup = Setup { program, limits: Limits::AsShipped, ..Setup::default() };
    let url = database_url(folder);
    let base = [("MIEN_DATABASE_URL", url.as_str()), ("MIEN_LOG", "warn")];
    Relay::start_as(setup, &[&base, settings].concat()).await
}

/// SIGTERM, which it must obey in order. Gives all that it has logged.
pub(crate) async fn end(mut relay: Relay) -> String {
    relay.signal(Signal::TERM);
    assert!(relay.ended().await.success());
    relay.said()
}

pub(crate) async fn store(folder: &Path) -> Store {
    Store::open(&database_url(folder), 2, Metrics::new().pool_wait_seconds).await.unwrap()
}

fn database_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("mien.db").display())
}
