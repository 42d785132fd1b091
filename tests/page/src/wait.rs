//! Waiting for something to become true, with a deadline and a message that says what was waited for.

use std::thread;
use std::time::{Duration, Instant};

/// Loading and compiling the models on a busy machine takes most of this.
pub const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(100);

/// Polls until there is an answer. Panics with `what` at the deadline: a test can do nothing better.
pub fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, ask)
}

pub fn until_within<T>(patience: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {} s for {what}", patience.as_secs());
        thread::sleep(POLL);
    }
}
