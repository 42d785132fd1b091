//! The signals that end the relay.

/// The signals that end the relay, caught from the moment this is made.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    /// `None` if SIGHUP is ignored from the start, as under `nohup`.
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn catch() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // Checked before it is caught, because afterwards it is no longer ignored.
        let hangup = (!hangup_is_ignored()).then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup,
        })
    }

    #[cfg(not(unix))]
    pub(super) fn catch() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Returns at the next SIGTERM, SIGINT or SIGHUP.
    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = next_hangup(self.hangup.as_mut()) => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(unix)]
async fn next_hangup(hangup: Option<&mut tokio::signal::unix::Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

/// As Linux reports it; elsewhere, or if `/proc` is not mounted, SIGHUP ends the relay.
#[cfg(unix)]
fn hangup_is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
}

/// `SigIgn:` is a bit for each signal, in hexadecimal; SIGHUP is number 1.
#[cfg(unix)]
fn ignores_hangup(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).is_some_and(|bits| bits & 1 == 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_that_is_ignored_is_seen() {
        assert!(ignores_hangup("Name:\tmien\nSigBlk:\t0\nSigIgn:\t0000000000001001\n"));
        for other in ["SigIgn:\t0000000000001000", "SigCgt:\t0000000000000001", "SigIgn:\tx", ""] {
            assert!(!ignores_hangup(other), "{other}");
        }
    }
}
