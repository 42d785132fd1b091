//! How far a long reading is, on standard error.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

/// On a terminal one line that changes; in a log a line now and then.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    of: usize,
    is_terminal: bool,
    told: Instant,
}

impl Progress {
    pub(crate) fn of(what: &'static str, of: usize) -> Self {
        Self { what, of, is_terminal: stderr().is_terminal(), told: Instant::now() }
    }

    pub(crate) fn at(&mut self, count: usize) {
        let every = if self.is_terminal { Duration::from_millis(200) } else { Duration::from_secs(10) };
        if self.told.elapsed() >= every {
            self.told = Instant::now();
            self.tell(count);
        }
    }

    fn tell(&self, count: usize) {
        let Self { what, of, is_terminal, .. } = self;
        let end = if *is_terminal { '\r' } else { '\n' };
        // Nobody may be listening.
        let _ = write!(stderr(), "mien-accuracy: {what}: {count} of {of} pictures{end}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_terminal {
            // Clears the line.
            let _ = write!(stderr(), "\x1b[2K\r");
        }
    }
}
