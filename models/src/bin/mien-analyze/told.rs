//! Standard error: messages, and the line of progress below them where a person looks.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Often enough to look alive, and seldom enough to cost nothing.
const BETWEEN_DRAWINGS: Duration = Duration::from_millis(100);
/// Back to the start of the line, which is then empty.
const CLEARED: &str = "\r\x1B[K";

#[derive(Debug)]
pub(crate) struct Told {
    progress: Option<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    drawn: Option<Instant>,
}

impl Told {
    /// Draws progress if standard error is a terminal, and results do not appear in the same one.
    pub(crate) fn with_progress(results_on_stdout: bool) -> Self {
        let seen = io::stderr().is_terminal() && !(results_on_stdout && io::stdout().is_terminal());
        Self { progress: seen.then(Progress::default) }
    }

    pub(crate) const fn without_progress() -> Self {
        Self { progress: None }
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.clear();
        write(&format!("mien-analyze: {text}\n"));
    }

    pub(crate) fn progress(&mut self, text: impl FnOnce() -> String) {
        let Some(progress) = &mut self.progress else { return };
        if progress.drawn.is_some_and(|drawn| drawn.elapsed() < BETWEEN_DRAWINGS) {
            return;
        }
        progress.drawn = Some(Instant::now());
        // A narrow terminal cuts the line off, so that it stays one line.
        write(&format!("{CLEARED}\x1B[?7l{}\x1B[?7h", text()));
    }

    pub(crate) fn clear(&mut self) {
        if self.progress.as_mut().is_some_and(|progress| progress.drawn.take().is_some()) {
            write(CLEARED);
        }
    }
}

/// Nobody is left to be told if this fails.
fn write(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
