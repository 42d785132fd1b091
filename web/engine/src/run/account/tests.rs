use super::*;

/// A run over a source of `every_ms`, whose frames are analysed at once.
struct Scene {
    now: f64,
    account: Account,
    told: Vec<Skipped>,
}

impl Scene {
    fn new() -> Self {
        Self { now: 1_000.0, account: Account::new(1_000.0, false), told: Vec::new() }
    }

    /// Lets time pass in small steps, with frames every `every_ms`, if at all, and beats where the page runs.
    fn pass(&mut self, ms: u32, every_ms: Option<u32>, beats: bool) {
        for step in 1..=ms {
            self.now += 1.0;
            if beats && step % BEAT_MS == 0 {
                self.account.beat(self.now);
            }
            // The frames of a paused run are ignored.
            if every_ms.is_some_and(|every| step % every == 0) && !self.account.paused {
                self.frame();
            }
        }
    }

    fn frame(&mut self) {
        let stamp = self.account.delivered(self.now);
        self.told.extend(self.account.analysed(stamp));
    }

    fn plays(&mut self, ms: u32) {
        self.pass(ms, Some(40), true);
    }

    fn paused(&mut self, paused: bool) {
        self.account.set_paused(self.now, paused);
    }

    fn hidden(&mut self, hidden: bool) {
        self.account.set_hidden(self.now, hidden);
    }

    fn totals(&self) -> Vec<(SkipReason, i64)> {
        SkipReason::ALL
            .into_iter()
            .map(|reason| {
                (reason, self.told.iter().filter(|skipped| skipped.reason == reason).map(|s| s.ms).sum())
            })
            .filter(|(_, ms)| *ms != 0)
            .collect()
    }

    /// One reason, exact to an interval of the source.
    fn lost(&self, reason: SkipReason, ms: i64) {
        let totals = self.totals();
        let near = |total: &(SkipReason, i64)| total.0 == reason && (total.1 - ms).abs() <= 40;
        assert!(totals.len() == 1 && near(&totals[0]), "{reason:?} {ms} expected, not {totals:?}");
    }
}

#[test]
fn a_steady_source_skips_nothing() {
    let mut scene = Scene::new();
    scene.plays(20_000);
    assert_eq!(scene.totals(), []);
    // A camera in the dark, and one that drops a frame now and then.
    for every in [33, 66, 100, 40] {
        scene.pass(5_000, Some(every), true);
        scene.pass(3 * every, None, true);
    }
    assert_eq!(scene.totals(), []);
}

#[test]
fn each_hole_has_its_reason() {
    let mut scene = Scene::new();
    scene.plays(2_000);
    scene.paused(true);
    scene.pass(12_000, None, true);
    scene.paused(false);
    scene.plays(2_000);
    scene.lost(SkipReason::Paused, 12_000);

    let mut scene = Scene::new();
    scene.plays(2_000);
    scene.hidden(true);
    scene.pass(12_000, None, false);
    scene.hidden(false);
    scene.plays(2_000);
    scene.lost(SkipReason::Hidden, 12_000);

    let mut scene = Scene::new();
    scene.plays(2_000);
    scene.pass(7_000, None, true);
    scene.plays(2_000);
    scene.lost(SkipReason::Stalled, 7_000);

    let mut scene = Scene::new();
    scene.plays(2_000);
    scene.pass(7_000, None, false);
    scene.plays(2_000);
    scene.lost(SkipReason::Throttled, 7_000);
}

#[test]
fn a_short_pause_counts_to_the_millisecond_and_a_glance_elsewhere_to_the_frame() {
    let mut scene = Scene::new();
    scene.plays(2_000);
    for _ in 0..10 {
        scene.paused(true);
        scene.pass(70, Some(40), true);
        scene.paused(false);
        scene.plays(400);
    }
    assert_eq!(scene.totals(), [(SkipReason::Paused, 700)], "frames of a paused source do not count");

    let mut scene = Scene::new();
    scene.plays(2_000);
    scene.hidden(true);
    scene.pass(200, None, true);
    scene.hidden(false);
    scene.plays(2_000);
    scene.lost(SkipReason::Hidden, 200);
}

#[test]
fn a_hidden_page_that_still_gets_frames_skips_nothing() {
    let mut scene = Scene::new();
    scene.plays(2_000);
    scene.hidden(true);
    scene.plays(10_000);
    scene.hidden(false);
    scene.plays(2_000);
    assert_eq!(scene.totals(), []);
}

#[test]
fn a_hidden_page_that_gets_fewer_frames_lacks_only_what_came_before_the_first() {
    let mut scene = Scene::new();
    scene.plays(2_000);
    scene.hidden(true);
    // The reader starts, and then looks ten times a second.
    scene.pass(300, None, false);
    scene.pass(60_000, Some(100), false);
    scene.lost(SkipReason::Hidden, 300 + 100 - 40);
    // The browser gives nothing for a while.
    scene.pass(5_000, None, false);
    scene.pass(10_000, Some(100), false);
    scene.lost(SkipReason::Hidden, 5_360);
    scene.hidden(false);
    scene.plays(10_000);
    scene.lost(SkipReason::Hidden, 5_360);
}

#[test]
fn a_pause_in_a_hidden_page_is_a_pause() {
    let mut scene = Scene::new();
    scene.plays(2_000);
    scene.paused(true);
    scene.pass(1_000, None, true);
    scene.hidden(true);
    scene.pass(5_000, None, false);
    scene.hidden(false);
    scene.pass(1_000, None, true);
    scene.paused(false);
    scene.plays(2_000);
    scene.lost(SkipReason::Paused, 7_000);
}

#[test]
fn a_source_that_is_slower_for_good_is_not_stalled_for_good() {
    let mut scene = Scene::new();
    scene.plays(2_000);
    scene.pass(20_000, Some(1_000), true);
    let told = scene.told.len();
    let stalled = scene.told.iter().all(|skipped| skipped.reason == SkipReason::Stalled);
    assert!(stalled && (1..5).contains(&told), "{:?}", scene.told);
    scene.pass(60_000, Some(1_000), true);
    assert_eq!(scene.told.len(), told, "it is the pace now");
}

#[test]
fn frames_that_nobody_had_time_for_are_throttled_and_a_slow_machine_is_not() {
    let mut scene = Scene::new();
    let mut newest = None;
    for step in 1..=60_000_u32 {
        scene.now += 1.0;
        if step % 33 == 0 {
            newest = Some(scene.account.delivered(scene.now));
        }
        // Three quarters of a second for a frame; and no answer for nine seconds, as a worker died.
        if step % 750 == 0 && !(30_000..39_000).contains(&step) {
            scene.told.extend(newest.map(|stamp| scene.account.analysed(stamp)).unwrap_or_default());
        }
    }
    let late: Vec<i64> = scene.told.iter().skip_while(|skipped| skipped.ms < 5_000).map(|s| s.ms).collect();
    assert!(scene.told.iter().all(|skipped| skipped.reason == SkipReason::Throttled), "{:?}", scene.told);
    assert_eq!(scene.told.len(), 1, "only what is long for this machine: {:?}", scene.told);
    assert!(matches!(late[..], [8_500..=9_500]), "{late:?}");
}

#[test]
fn a_run_that_begins_hidden_or_waits_for_its_first_frame_owes_nothing() {
    let mut account = Account::new(0.0, true);
    account.set_hidden(9_000.0, false);
    let first = account.delivered(9_100.0);
    assert_eq!(account.analysed(first), []);
    let second = account.delivered(9_140.0);
    assert_eq!(account.analysed(second), []);
}

#[cfg(not(target_arch = "wasm32"))]
mod sums {
    use super::*;
    use proptest::prelude::*;

    /// What happens for some time.
    #[derive(Clone, Copy, Debug)]
    enum Act {
        Plays,
        Pauses,
        Hides,
        Stalls,
        Blocks,
    }

    fn act() -> impl Strategy<Value = (Act, u32)> {
        let kind = prop_oneof![
            Just(Act::Pauses),
            Just(Act::Hides),
            Just(Act::Stalls),
            Just(Act::Blocks),
            Just(Act::Plays)
        ];
        (kind, 700..20_000_u32)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever gaps a run has, one after the other: each is reported with its cause, exact to an interval of the
        /// source, so that what is analysed and what is skipped add up to the run's length.
        #[test]
        fn each_hole_counts_once(acts in prop::collection::vec(act(), 1..12)) {
            let mut scene = Scene::new();
            scene.plays(1_000);
            let mut expected = [0_i64; 4];
            let mut holes = 0;
            for (act, ms) in acts {
                let whole = i64::from(ms);
                match act {
                    Act::Plays => scene.plays(ms),
                    Act::Pauses => {
                        scene.paused(true);
                        scene.pass(ms, None, true);
                        scene.paused(false);
                        expected[PAUSED] += whole;
                    }
                    Act::Hides => {
                        scene.hidden(true);
                        scene.pass(ms, None, false);
                        scene.hidden(false);
                        expected[HIDDEN] += whole;
                    }
                    Act::Stalls => {
                        scene.pass(ms, None, true);
                        expected[STALLED] += whole;
                    }
                    Act::Blocks => {
                        scene.pass(ms, None, false);
                        expected[THROTTLED] += whole;
                    }
                }
                holes += 1;
                // Long enough for the source's pace to be known again.
                scene.plays(2_000);
            }
            let totals = scene.totals();
            for (place, expected) in expected.into_iter().enumerate() {
                let told = totals.iter().find(|(reason, _)| *reason == REASONS[place]).map_or(0, |(_, ms)| *ms);
                prop_assert!((told - expected).abs() <= 60 * holes, "{:?}: {} for {}", REASONS[place], told, expected);
            }
        }

        /// In whatever order events come: nothing is below zero, and no more is skipped than has passed.
        #[test]
        fn no_more_is_skipped_than_passed(steps in prop::collection::vec((0..6_u8, any::<bool>(), 0..3_000_u32), 1..200)) {
            let mut account = Account::new(0.0, false);
            let (mut now, mut first, mut last) = (0.0, None, 0.0);
            let mut waiting = std::collections::VecDeque::new();
            let mut sum = 0;
            for (kind, on, ms) in steps {
                now += f64::from(ms) / 3.0;
                match kind {
                    0 => account.set_paused(now, on),
                    1 => account.set_hidden(now, on),
                    2 => account.beat(now),
                    3 | 4 => waiting.push_back(account.delivered(now)),
                    _ => {
                        let Some(stamp) = waiting.pop_front() else { continue };
                        first.get_or_insert(stamp.at_ms);
                        last = stamp.at_ms;
                        for skipped in account.analysed(stamp) {
                            prop_assert!(skipped.ms > 0);
                            sum += skipped.ms;
                        }
                    }
                }
            }
            let length = last - first.unwrap_or(last);
            prop_assert!(sum as f64 <= length + 1e-6, "{} of {}", sum, length);
        }
    }
}
