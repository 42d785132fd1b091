//! What was done so far, and how that is said.

use std::time::Duration;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Pictures to read; unknown of a stream.
    pub(crate) all: Option<usize>,
    pub(crate) read: usize,
    pub(crate) faces: usize,
    /// Pictures without a face.
    pub(crate) nobody: usize,
    /// Pictures and folders that could not be read.
    pub(crate) faults: usize,
    pub(crate) left_out: usize,
    /// Pictures that an earlier run has read.
    pub(crate) before: usize,
}

impl Tally {
    /// While it runs. `done` pictures took that long.
    pub(crate) fn progress(&self, done: usize, took: Duration) -> String {
        let rate = done as f64 / took.as_secs_f64().max(1e-3);
        let mut parts = vec![
            self.all.map_or_else(|| format!("{done} frames"), |all| format!("{done}/{all} pictures")),
            counted(self.faces, "face", "faces"),
        ];
        if self.faults > 0 {
            parts.push(counted(self.faults, "error", "errors"));
        }
        parts.push(format!("{rate:.1}/s"));
        if let Some(left) = self.all.and_then(|all| all.checked_sub(done)).filter(|_| done > 0) {
            let left = Duration::try_from_secs_f64(left as f64 / rate).unwrap_or(Duration::MAX);
            parts.push(format!("{} left", span(left)));
        }
        parts.join("  ")
    }

    /// At the end.
    pub(crate) fn summary(&self, took: Duration) -> String {
        let all = self.all.map_or_else(
            || counted(self.read + self.faults, "frame", "frames"),
            |all| counted(all, "picture", "pictures"),
        );
        let mut parts = vec![format!("read {} of {all} in {}", self.read, span(took))];
        if self.read > 0 {
            let rate = self.read as f64 / took.as_secs_f64().max(1e-3);
            parts[0] = format!("{} ({rate:.1} a second): {}", parts[0], counted(self.faces, "face", "faces"));
        }
        let more = [
            (self.nobody, "without a face", "without a face"),
            (self.faults, "error", "errors"),
            (self.left_out, "left out", "left out"),
            (self.before, "read before", "read before"),
        ];
        parts.extend(
            more.into_iter()
                .filter(|(count, ..)| *count > 0)
                .map(|(count, one, many)| counted(count, one, many)),
        );
        parts.join(", ")
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, ..10) => format!("{:.1} s", time.as_secs_f64()),
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_how_far_it_is_and_how_long_it_takes() {
        let tally = Tally { all: Some(10_000), faces: 1, ..Tally::default() };
        assert_eq!(tally.progress(0, Duration::ZERO), "0/10000 pictures  1 face  0.0/s");
        assert_eq!(
            tally.progress(500, Duration::from_secs(10)),
            "500/10000 pictures  1 face  50.0/s  3 min 10 s left"
        );
        let tally = Tally { all: None, faces: 7, faults: 2, ..tally };
        assert_eq!(tally.progress(30, Duration::from_secs(3)), "30 frames  7 faces  2 errors  10.0/s");
    }

    #[test]
    fn the_summary_adds_up() {
        let tally = Tally { all: Some(12), read: 9, faces: 10, nobody: 1, faults: 3, left_out: 2, before: 5 };
        assert_eq!(
            tally.summary(Duration::from_millis(4_500)),
            "read 9 of 12 pictures in 4.5 s (2.0 a second): 10 faces, 1 without a face, 3 errors, 2 left out, 5 read before"
        );
        let nothing = Tally { all: Some(1), faults: 1, ..Tally::default() };
        assert_eq!(nothing.summary(Duration::from_mins(121)), "read 0 of 1 picture in 2 h 1 min, 1 error");
    }
}
