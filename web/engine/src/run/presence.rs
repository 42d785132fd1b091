//! What can be expected of a source: whether it is halted, whether its pictures come, also while the page is hidden, and
//! which time went by without. Pure: the caller brings a clock that never goes back.

use mien_shared::Skipped;

use super::account::{Account, Stamp};
use super::liveness::{Interval, Liveness};
use crate::browser::tracks::Pictures;

/// A hidden page whose reader runs and that gets no picture for this long gets none at all. Cameras deliver one several
/// times in this time, and a film starts within a fraction of it.
const BLIND_MS: f64 = 1_000.0;
/// The reader's script is in the browser's cache; a busy machine may need this long to start it.
const START_MS: f64 = 2_000.0;

/// Why the source may rightly deliver nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Halts {
    paused: bool,
    /// The embedder has paused its own element.
    element_paused: bool,
}

impl Halts {
    fn any(self) -> bool {
        self.paused || self.element_paused
    }
}

/// How the page gets at pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sight {
    /// It is visible, so the browser calls back.
    Open,
    /// It is hidden, and the reader is being started.
    Starting { since_ms: f64 },
    /// It is hidden, and the reader runs.
    Trying { since_ms: f64 },
    /// It is hidden, and pictures come all the same.
    Reading,
    /// It is hidden, and nothing comes.
    Blind,
}

/// What is to be done with the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReaderStep {
    Start,
    End,
}

#[derive(Debug)]
pub(super) struct Presence {
    halts: Halts,
    account: Account,
    liveness: Liveness,
    sight: Sight,
    /// The reader was asked to start, and not to end.
    reads: bool,
}

impl Presence {
    pub(super) fn new(now_ms: f64, hidden: bool) -> Self {
        Self {
            halts: Halts::default(),
            account: Account::new(now_ms, hidden),
            liveness: Liveness::default(),
            sight: if hidden { Sight::Starting { since_ms: now_ms } } else { Sight::Open },
            reads: false,
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.halts.paused
    }

    pub(super) fn set_paused(&mut self, now_ms: f64, paused: bool) {
        let changes = std::mem::replace(&mut self.halts.paused, paused) != paused;
        self.account.set_paused(now_ms, self.halts.any());
        if changes && self.sight != Sight::Open {
            self.sight = Sight::Starting { since_ms: now_ms };
        }
    }

    pub(super) fn set_element_paused(&mut self, now_ms: f64, paused: bool) {
        self.halts.element_paused = paused;
        self.account.set_paused(now_ms, self.halts.any());
        if let Sight::Trying { since_ms } = &mut self.sight {
            *since_ms = now_ms;
        }
    }

    pub(super) fn set_hidden(&mut self, now_ms: f64, hidden: bool) {
        self.account.set_hidden(now_ms, hidden);
        self.liveness.begin_anew();
        self.sight = if hidden { Sight::Starting { since_ms: now_ms } } else { Sight::Open };
    }

    /// The reader's next step, told once. It reads while the page is hidden and the source is not paused.
    pub(super) fn reader_step(&mut self) -> Option<ReaderStep> {
        let reads = self.sight != Sight::Open && !self.halts.paused;
        let changes = std::mem::replace(&mut self.reads, reads) != reads;
        changes.then_some(if reads { ReaderStep::Start } else { ReaderStep::End })
    }

    pub(super) fn reader_begun(&mut self, now_ms: f64) {
        if let Sight::Starting { .. } = self.sight {
            self.sight = Sight::Trying { since_ms: now_ms };
        }
    }

    /// There is no reader. True if that is why nothing comes.
    pub(super) fn reader_failed(&mut self) -> bool {
        self.sight != Sight::Open && self.go_blind()
    }

    /// Whether a source of ours is to play. One that can wait does so until it is certain that somebody looks.
    pub(super) fn plays(&self, can_wait: bool) -> bool {
        let looks = !matches!(self.sight, Sight::Starting { .. } | Sight::Blind);
        !self.halts.paused && (looks || !can_wait)
    }

    /// The source has delivered a frame. True if it had been silent.
    pub(super) fn frame(&mut self, now_ms: f64) -> (Stamp, bool) {
        if self.sight != Sight::Open {
            self.sight = Sight::Reading;
        }
        (self.account.delivered(now_ms), self.liveness.picture())
    }

    /// What was skipped since the previously analysed frame.
    pub(super) fn analysed(&mut self, stamp: Stamp) -> Vec<Skipped> {
        self.account.analysed(stamp)
    }

    /// The page runs. True if it has become clear that this browser gives a hidden page nothing.
    pub(super) fn beat(&mut self, now_ms: f64) -> bool {
        self.account.beat(now_ms);
        let late = match self.sight {
            Sight::Starting { since_ms } => now_ms - since_ms >= START_MS,
            Sight::Trying { since_ms } => now_ms - since_ms >= BLIND_MS,
            Sight::Open | Sight::Reading | Sight::Blind => false,
        };
        late && !self.halts.any() && self.go_blind()
    }

    /// About a second has passed. True if the source has fallen silent.
    pub(super) fn interval(&mut self, has_frames: bool, pictures: Pictures) -> bool {
        let interval = match pictures {
            _ if has_frames => Interval::Pictures,
            _ if self.halts.any() || !matches!(self.sight, Sight::Open | Sight::Reading) => {
                Interval::NotExpected
            }
            Pictures::Muted | Pictures::Absent => Interval::Impossible,
            Pictures::OfFile | Pictures::Live | Pictures::Ended => Interval::Nothing,
        };
        self.liveness.interval(interval)
    }

    fn go_blind(&mut self) -> bool {
        self.sight = Sight::Blind;
        self.liveness.fall_silent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hidden at 0, with its reader started.
    fn hidden() -> Presence {
        let mut presence = Presence::new(0.0, false);
        presence.frame(0.0);
        assert_eq!(presence.reader_step(), None, "a visible page needs none");
        presence.set_hidden(0.0, true);
        assert_eq!(presence.reader_step(), Some(ReaderStep::Start));
        assert_eq!(presence.reader_step(), None);
        presence
    }

    #[test]
    fn a_hidden_page_with_a_reader_goes_on_and_a_file_waits_until_it_runs() {
        let mut presence = hidden();
        assert_eq!([true, false].map(|can_wait| presence.plays(can_wait)), [false, true]);
        presence.reader_begun(100.0);
        assert!(presence.plays(true));
        assert!(!presence.beat(900.0));
        assert!(!presence.frame(1_000.0).1);
        assert!(!presence.beat(9_000.0), "it can see");
        presence.set_hidden(9_000.0, false);
        assert_eq!(presence.reader_step(), Some(ReaderStep::End));
        assert!(presence.plays(true));
    }

    #[test]
    fn a_browser_that_gives_nothing_is_told_of_once_and_its_end_with_the_next_picture() {
        let mut presence = hidden();
        presence.reader_begun(100.0);
        let told: Vec<_> = [1_099.0, 1_100.0, 1_350.0].map(|now| presence.beat(now)).into();
        assert_eq!(told, [false, true, false]);
        assert!(!presence.plays(true), "a file waits");
        assert!(!presence.interval(false, Pictures::Live), "that is known");
        presence.set_hidden(60_000.0, false);
        assert!(presence.plays(true));
        assert!(presence.frame(60_040.0).1);

        let mut presence = hidden();
        assert!(presence.reader_failed());
        assert!(!presence.reader_failed() && !presence.plays(true));
        assert!(presence.frame(5_000.0).1, "it comes late, but it comes");
        assert!(presence.plays(true));

        let mut presence = hidden();
        assert!(!presence.beat(1_999.0) && presence.beat(2_000.0), "a reader that does not start");
        presence.set_hidden(3_000.0, false);
        let told: Vec<_> = (0..4).map(|_| presence.interval(false, Pictures::Live)).collect();
        assert_eq!(told, [false, false, true, false], "now it is the camera");
        assert!(!presence.reader_failed(), "too late to matter");
    }

    #[test]
    fn a_pause_needs_no_reader_and_nothing_is_missed_in_it() {
        let mut presence = hidden();
        presence.set_paused(500.0, true);
        assert_eq!(presence.reader_step(), Some(ReaderStep::End));
        assert!(!presence.beat(30_000.0) && !presence.plays(false));
        presence.set_paused(30_000.0, false);
        assert_eq!(presence.reader_step(), Some(ReaderStep::Start));
        presence.set_paused(31_000.0, false);
        assert!(!presence.beat(31_999.0) && presence.beat(32_000.0), "counted from when it was resumed");

        let mut presence = hidden();
        presence.reader_begun(100.0);
        presence.set_element_paused(200.0, true);
        assert!(!presence.beat(9_000.0), "the embedder’s element is paused");
        presence.set_element_paused(9_000.0, false);
        assert!(!presence.beat(9_999.0) && presence.beat(10_000.0));
    }

    #[test]
    fn a_camera_that_falls_silent_while_it_is_read_is_silent() {
        let mut presence = hidden();
        presence.reader_begun(100.0);
        presence.frame(200.0);
        let told: Vec<_> = (0..4).map(|_| presence.interval(false, Pictures::Live)).collect();
        assert_eq!(told, [false, false, true, false]);
        assert!(presence.frame(9_000.0).1);
        assert!(presence.interval(false, Pictures::Muted), "a muted track at once");
    }
}
