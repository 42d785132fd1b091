//! Two types of time that cannot be mixed up. [`Steady`] is the monotonic clock's: every deadline, pause, silence and
//! age is measured by it. [`WallMs`] is the wall clock's, which a person or a time server may set at any moment:
//! it labels what was captured, has no arithmetic, and so can measure nothing.

use std::ops::Add;
use std::time::Duration;

use mien_shared::{SkipReason, Skipped};

/// Gains of the wall clock below this are no step: each of two readings of both clocks may be off by 100 ms, as
/// browsers round them where they resist fingerprinting. Of what sets clocks, chrony steps from 1 s on, systemd's
/// timesyncd from 0.4 s; ntpd would from 128 ms, a step that no sum of a recording shows.
const STEP: Duration = Duration::from_millis(250);
/// Two good clocks drift apart by some 100 ppm, and a slewed one by no more than 500 (what `adjtime` allows), so
/// that after an hour without a frame 1.8 s are no step.
const DRIFT_PPM: u32 = 500;

/// A moment by the page's monotonic clock (`performance.now()`), valid in this page only: other pages, workers and the
/// next visit have other origins. It never goes back and cannot be set.
///
/// While the machine sleeps it stops in Chromium and Firefox on Linux and macOS and runs on on Windows. So a deadline may
/// be met later by the length of the sleep, and a sleep may look like the wall clock being set forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Steady(Duration);

impl Steady {
    /// This long after the page's time origin.
    pub const fn after(beginning: Duration) -> Self {
        Self(beginning)
    }

    pub const fn since_beginning(self) -> Duration {
        self.0
    }

    /// Time from `earlier` to this; zero if that is the later one.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub(crate) const fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }
}

impl Add<Duration> for Steady {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

/// Unix milliseconds by the wall clock: a label, for `at` and for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WallMs(pub u64);

/// When a frame was captured, by both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    pub at: WallMs,
    pub steady: Steady,
}

impl Captured {
    pub(crate) fn before(self, by: Duration) -> Self {
        let at = WallMs(self.at.0.saturating_sub(by.as_millis() as u64));
        Self { at, steady: self.steady.before(by) }
    }
}

/// Finds out when the wall clock was set, by what it gained on the monotonic clock from one frame to the next. Frames
/// come often, so slow drift and slewing never add up to a step.
///
/// If the monotonic clock stops while the machine sleeps, a sleep is reported as a step forward: no browser has a clock
/// that would tell them apart, and either way `at` jumps by as much.
#[derive(Debug, Default)]
pub(crate) struct ClockSteps {
    last: Option<Captured>,
}

impl ClockSteps {
    /// How far the wall clock was set since the previous frame, if it was.
    pub(crate) fn next(&mut self, captured: Captured) -> Option<Skipped> {
        let last = self.last.replace(captured)?;
        let passed = millis(captured.steady) - millis(last.steady);
        let gained = signed(captured.at.0) - signed(last.at.0) - passed;
        let allowed = STEP.as_millis() as i64 + passed.abs() * i64::from(DRIFT_PPM) / 1_000_000;
        (gained.abs() >= allowed).then_some(Skipped { reason: SkipReason::ClockStep, ms: gained })
    }
}

fn millis(steady: Steady) -> i64 {
    signed(steady.0.as_millis() as u64)
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use mien_models::{Detection, Tracker};
    use mien_shared::{Expression, FaceBox, Scores};
    use proptest::prelude::*;

    fn captured(at: u64, steady: u64) -> Captured {
        Captured { at: WallMs(at), steady: Steady::after(Duration::from_millis(steady)) }
    }

    #[test]
    fn a_step_is_told_with_its_sign_and_once() {
        let mut steps = ClockSteps::default();
        let mut step = |at, steady| steps.next(captured(at, steady)).map(|skipped| skipped.ms);
        assert_eq!(step(1_000_000, 500), None, "the first has nothing before it");
        assert_eq!(step(1_000_033, 533), None);
        assert_eq!(step(880_066, 566), Some(-120_000));
        assert_eq!(step(880_099, 599), None);
        assert_eq!(step(1_120_132, 632), Some(240_000));
        assert_eq!(step(1_120_132 + 3_600_000 + 360, 632 + 3_600_000), None, "an hour's pause, 100 ppm");
    }

    /// A second of a smile after a second of calm, by a clock that is set between them.
    #[test]
    fn scores_follow_a_face_while_the_clock_is_set() {
        let shown = |set: i64| {
            let (mut tracker, mut steps, mut told) = (Tracker::new(), ClockSteps::default(), 0);
            let mut scores = Vec::new();
            for frame in 0..60_u64 {
                let by = if frame < 30 { 0 } else { set };
                let captured =
                    captured(1_000_000_000_u64.saturating_add_signed(by) + frame * 33, 5_000 + frame * 33);
                told += steps.next(captured).map_or(0, |step| step.ms);
                let faces = tracker.update(captured.steady.since_beginning(), &[detection(frame >= 30)]);
                scores.push(faces[0].scores);
            }
            (scores, told)
        };
        let (undisturbed, _) = shown(0);
        assert_eq!(undisturbed[29].top().0, Expression::Neutral);
        assert_eq!(undisturbed[59].top().0, Expression::Happiness);
        for set in [-120_000, 120_000] {
            assert_eq!(shown(set), (undisturbed.clone(), set));
        }
    }

    fn detection(smiles: bool) -> Detection {
        let mut scores = [0.0; Expression::COUNT];
        scores[usize::from(smiles)] = 1.0;
        Detection {
            bounds: FaceBox { left: 0.3, top: 0.3, width: 0.2, height: 0.2 },
            strongest: None,
            keypoints: [[0.4, 0.4]; 6],
            score: 0.9,
            scores: Scores(scores),
            expression: None,
            quality: 0.9,
            doubts: Vec::new(),
            look: None,
        }
    }

    proptest! {
        /// Whatever the wall clock does, steps and the time that passed add up to what `at` shows; jitter of the
        /// readings is no step.
        #[test]
        fn steps_and_time_add_up(
            frames in prop::collection::vec((1..2_000_u64, -20..20_i64, prop::option::weighted(0.2, -200_000..200_000_i64)), 1..200),
        ) {
            let mut steps = ClockSteps::default();
            let (mut steady, mut wall, mut before) = (10_000_u64, 1_000_000_000_i64, 0);
            steps.next(captured(wall as u64, steady));
            for (passed, jitter, set) in frames {
                steady += passed;
                let set = set.filter(|by| by.abs() >= 300).unwrap_or(0);
                wall += passed as i64 + set;
                let found = steps.next(captured((wall + jitter) as u64, steady)).map_or(0, |found| found.ms);
                prop_assert_eq!(found, if set == 0 { 0 } else { set + jitter - before });
                before = jitter;
            }
        }
    }
}
