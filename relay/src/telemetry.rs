//! Where the log goes: standard error, one line an event, coloured only for a terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. `filter` is a level or `target=level,…`; one that cannot be read falls back to `info`
/// with a warning, since a typing error must not keep the relay down.
pub fn init(filter: &str) {
    let parsed = EnvFilter::try_new(filter);
    let bad = parsed.is_err();
    // Nothing is lost if a subscriber stands already, as in tests.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(parsed.unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
    if bad {
        tracing::warn!("MIEN_LOG cannot be read; logging at info");
    }
}
