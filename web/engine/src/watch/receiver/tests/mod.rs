use std::collections::BTreeMap;

use mien_shared::problem::CloseCode;
use mien_shared::protocol::{WatchReply, WatchWelcome};
use mien_shared::{Sample, SessionId, SessionStatus, SkipReason, Skipped, SourceName};

use super::{Effect, Link};
use crate::browser::Reach;
use crate::watch::handle::is_young;
use crate::{Begin, Behind, SourcePace, WatchEvent, WatchState};

/// Far from this page's clock, and with a source's own idea of the time.
const EPOCH: u64 = 1_763_907_600_000;

fn name(name: &str) -> SourceName {
    name.parse().unwrap()
}

fn seqs(of: &[(&str, u64)]) -> BTreeMap<SourceName, u64> {
    of.iter().map(|&(source, seq)| (name(source), seq)).collect()
}

fn welcome(throughs: Option<&[(&str, u64)]>) -> String {
    let welcome = WatchWelcome {
        session: SessionId(uuid::Uuid::from_u128(7)),
        status: SessionStatus::Active,
        expressions: Vec::new(),
        sources: Vec::new(),
        watchers: 1,
        throughs: throughs.map(seqs),
    };
    serde_json::to_string(&WatchReply::Welcome(welcome)).unwrap()
}

fn message(source: &str, samples: Vec<Sample>) -> String {
    serde_json::to_string(&WatchReply::Samples { source: name(source), samples }).unwrap()
}

/// Samples ten times a second, the first at the epoch.
fn at_ten(range: std::ops::RangeInclusive<u64>) -> Vec<Sample> {
    range.map(|seq| Sample::new(seq, EPOCH + 100 * seq, Vec::new())).collect()
}

/// A link and what it has told.
struct Watcher {
    link: Link,
    effects: Vec<Effect>,
}

impl Watcher {
    fn new(begin: Begin) -> Self {
        Self { link: Link::new("t".to_owned(), begin, false, 0), effects: Vec::new() }
    }

    /// Opened at 0, and welcomed.
    fn welcomed(begin: Begin, throughs: Option<&[(&str, u64)]>) -> Self {
        let mut watcher = Self::new(begin);
        watcher.link.opened(0);
        watcher.link.message(0, &welcome(throughs));
        watcher
    }

    fn effects(&mut self) -> &[Effect] {
        self.effects.extend(self.link.take_effects());
        &self.effects
    }

    fn hello(&mut self) -> String {
        let sent = self.effects().iter().rev().find_map(|effect| match effect {
            Effect::Send(text) => Some(text.clone()),
            _ => None,
        });
        self.effects.clear();
        sent.unwrap()
    }

    fn state(&mut self) -> WatchState {
        let told = self.effects().iter().rev().find_map(|effect| match effect {
            Effect::Tell(WatchEvent::State(state)) => Some(state.clone()),
            _ => None,
        });
        told.unwrap()
    }

    fn pace(&mut self, source: &str) -> SourcePace {
        let source = name(source);
        let told = self.effects().iter().rev().find_map(|effect| match effect {
            Effect::Tell(WatchEvent::Pace { source: of, pace }) if *of == source => Some(*pace),
            _ => None,
        });
        told.unwrap()
    }

    fn seen(&mut self) -> Vec<u64> {
        self.effects();
        std::mem::take(&mut self.effects)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Tell(WatchEvent::Samples { samples, .. }) => Some(samples),
                _ => None,
            })
            .flatten()
            .map(|sample| sample.seq)
            .collect()
    }

    /// A live source: a message each 100 ms with what was just taken.
    fn live(&mut self, from_ms: u64, range: std::ops::RangeInclusive<u64>) -> u64 {
        let mut now = from_ms;
        for sample in at_ten(range) {
            now += 100;
            self.link.message(now, &message("main", vec![sample]));
            self.link.tick(now, 0.0);
        }
        now
    }
}

fn behind(state: &WatchState) -> Option<Behind> {
    match state {
        WatchState::CatchingUp(behind) => *behind,
        other => panic!("not catching up: {other:?}"),
    }
}

#[test]
fn a_sample_comes_once_over_a_cut_and_the_next_hello_names_the_last() {
    let mut watcher = Watcher::new(Begin::After(BTreeMap::new()));
    watcher.link.opened(0);
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{}}"#);
    watcher.link.message(0, &welcome(Some(&[("main", 6)])));
    watcher.link.message(1, &message("main", at_ten(5..=6)));
    assert_eq!(watcher.seen(), [5, 6]);
    watcher.link.closed(10, 1006, 0.0);
    assert_eq!(watcher.state(), WatchState::Offline { retry_in_ms: 250, trouble: None });
    watcher.link.tick(259, 0.0);
    assert!(!watcher.effects().contains(&Effect::Connect));
    watcher.link.tick(260, 0.0);
    watcher.link.opened(261);
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{"main":6}}"#);
    watcher.link.message(262, &message("main", at_ten(6..=7)));
    assert_eq!(watcher.seen(), [7]);
}

#[test]
fn a_cut_before_the_first_sample_moves_nothing() {
    let hello = r#"{"type":"hello","token":"t","since":{"main":40}}"#;
    let mut watcher = Watcher::new(Begin::After(seqs(&[("main", 40)])));
    watcher.link.opened(0);
    assert_eq!(watcher.hello(), hello);
    watcher.link.closed(10, 1006, 0.0);
    watcher.link.tick(10_000, 0.0);
    watcher.link.opened(10_001);
    assert_eq!(watcher.hello(), hello);
    // Stored while nobody watched.
    watcher.link.message(10_002, &message("main", at_ten(41..=42)));
    assert_eq!(watcher.seen(), [41, 42]);
}

#[test]
fn who_joins_begins_a_few_minutes_before_the_end() {
    let mut watcher = Watcher::new(Begin::Recent);
    watcher.link.opened(0);
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t"}"#, "only to hear how far it is");
    watcher.link.message(1, &welcome(Some(&[("cam-2", 0), ("main", 108_000)])));
    assert_eq!(watcher.effects(), [Effect::Close, Effect::Connect], "and says nothing of it");
    watcher.link.opened(2);
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{"cam-2":0,"main":104400}}"#);
    // Cut off, it still knows where.
    watcher.link.closed(3, 1006, 0.0);
    assert_eq!(watcher.link.place(), Begin::After(seqs(&[("cam-2", 0), ("main", 104_400)])));
    watcher.link.tick(10_000, 0.0);
    watcher.link.opened(10_001);
    assert!(watcher.hello().contains("104400"));
}

#[test]
fn a_young_session_is_asked_for_all_at_once() {
    let id: SessionId = "019ab1f2-7c10-7d3e-8f00-123456789abc".parse().unwrap();
    let made_ms = 0x019a_b1f2_7c10;
    for (now_ms, young) in [(made_ms + 90_000, true), (made_ms + 120_000, false), (made_ms - 5_000, true)] {
        assert_eq!(is_young(id, now_ms), young);
    }
    let opened = || {
        let mut link = Link::new("t".to_owned(), Begin::Recent, true, 0);
        link.opened(0);
        let mut watcher = Watcher { link, effects: Vec::new() };
        assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{}}"#);
        watcher
    };
    for throughs in [Some([("main", 900)].as_slice()), None] {
        let mut watcher = opened();
        watcher.link.message(1, &welcome(throughs));
        watcher.link.message(2, &message("main", at_ten(1..=1)));
        assert!(!watcher.effects().contains(&Effect::Close));
        assert_eq!(watcher.seen(), [1]);
    }
    // It was not that young after all.
    let mut watcher = opened();
    watcher.link.message(1, &welcome(Some(&[("main", 108_000)])));
    assert_eq!(watcher.effects(), [Effect::Close, Effect::Connect]);
    watcher.link.opened(2);
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{"main":104400}}"#);
}

#[test]
fn many_sources_share_what_a_joining_watcher_reads() {
    let names: Vec<String> = (0..200).map(|number| format!("s{number}")).collect();
    for (count, each) in [(2, 1_800), (200, 60)] {
        let throughs: Vec<(&str, u64)> = names[..count].iter().map(|name| (name.as_str(), 50_000)).collect();
        let mut watcher = Watcher::welcomed(Begin::Recent, Some(&throughs));
        watcher.link.opened(1);
        assert!(watcher.hello().contains(&format!(r#""s0":{}"#, 50_000 - each)), "{count}");
    }
}

#[test]
fn who_joins_before_the_first_sample_stays_on_the_line() {
    let mut watcher = Watcher::welcomed(Begin::Recent, Some(&[("main", 0)]));
    assert!(!watcher.effects().contains(&Effect::Close));
    assert_eq!(watcher.state(), WatchState::Quiet);
    watcher.link.message(1_000, &message("main", at_ten(1..=1)));
    assert_eq!((watcher.state(), watcher.pace("main")), (WatchState::Live, SourcePace::Live));
    assert_eq!(watcher.seen(), [1]);
}

/// The sample that is told before its state would be shown as what it is not.
#[test]
fn history_is_told_as_such_until_what_came_meanwhile_was_seen_too() {
    let mut watcher = Watcher::welcomed(Begin::After(seqs(&[("main", 0)])), Some(&[("main", 600)]));
    assert_eq!(behind(&watcher.state()), None, "not known yet");
    // A slow line: a minute of samples takes 30 s.
    let mut now = 0;
    for first in (1..600).step_by(20) {
        now += 1_000;
        watcher.link.message(now, &message("main", at_ten(first..=first + 19)));
        watcher.link.tick(now, 0.0);
        if first == 301 {
            let Behind { ms, most_ms } = behind(&watcher.state()).unwrap();
            assert_eq!((ms, most_ms), (28_000 + 16_000, 58_000 + 1_000));
        }
        assert_ne!(watcher.pace("main"), SourcePace::Live);
    }
    // All that was stored then is here, and half a minute behind.
    assert_eq!(now, 30_000);
    assert_eq!(behind(&watcher.state()).unwrap().ms, 30_000);
    watcher.link.message(31_000, &message("main", at_ten(601..=890)));
    assert_eq!(watcher.state(), WatchState::Live);
    let told: Vec<bool> = watcher
        .effects()
        .iter()
        .rev()
        .filter_map(|effect| match effect {
            Effect::Tell(WatchEvent::State(_)) => Some(false),
            Effect::Tell(WatchEvent::Samples { .. }) => Some(true),
            _ => None,
        })
        .take(2)
        .collect();
    assert_eq!(told, [true, false], "the state first");
}

#[test]
fn a_reconnect_is_behind_by_as_long_as_it_was_away() {
    let mut watcher = Watcher::welcomed(Begin::After(BTreeMap::new()), Some(&[("main", 0)]));
    let cut = watcher.live(0, 1..=100);
    assert_eq!(watcher.state(), WatchState::Live);
    watcher.link.closed(cut, 1006, 0.0);
    let back = cut + 720_000;
    watcher.link.tick(back, 0.0);
    watcher.link.opened(back);
    watcher.link.message(back, &welcome(Some(&[("main", 7_300)])));
    let first = behind(&watcher.state()).unwrap();
    assert_eq!((first.ms / 60_000, watcher.pace("main")), (12, SourcePace::CatchingUp));
    watcher.link.message(back + 1_000, &message("main", at_ten(101..=3_700)));
    watcher.link.tick(back + 1_000, 0.0);
    let half = behind(&watcher.state()).unwrap();
    assert_eq!((half.ms / 60_000, half.most_ms / 60_000), (6, 12));
    watcher.link.message(back + 2_000, &message("main", at_ten(3_701..=7_300)));
    watcher.link.message(back + 2_100, &message("main", at_ten(7_301..=7_320)));
    assert_eq!(watcher.state(), WatchState::Live);
}

#[test]
fn a_paused_source_is_not_live_and_neither_is_its_last_sample_for_whoever_joins() {
    let mut watcher = Watcher::welcomed(Begin::After(BTreeMap::new()), Some(&[("main", 0)]));
    let now = watcher.live(0, 1..=50);
    watcher.link.tick(now + 3_900, 0.0);
    assert_eq!(watcher.state(), WatchState::Live, "it may be a slow one");
    watcher.link.tick(now + 4_000, 0.0);
    assert_eq!((watcher.state(), watcher.pace("main")), (WatchState::Quiet, SourcePace::Quiet));
    // The person goes on ten minutes later.
    let later = Sample::new(51, EPOCH + 5_100 + 600_000, Vec::new());
    watcher.link.message(now + 600_100, &message("main", vec![later]));
    assert_eq!(watcher.state(), WatchState::Live);

    let mut late = Watcher::welcomed(Begin::After(seqs(&[("main", 20)])), Some(&[("main", 50)]));
    late.link.message(100, &message("main", at_ten(21..=50)));
    assert_eq!(late.state(), WatchState::Quiet, "when that was cannot be told");
    assert!(!late.effects().contains(&Effect::Tell(WatchEvent::State(WatchState::Live))));
}

#[test]
fn what_was_rejected_last_is_not_waited_for() {
    // The relay names the newest that is stored; a watcher may have begun beyond that.
    let mut watcher = Watcher::welcomed(Begin::After(seqs(&[("main", 60)])), Some(&[("main", 50)]));
    assert_eq!(watcher.state(), WatchState::Quiet);
    watcher.link.message(100, &message("main", at_ten(61..=61)));
    assert_eq!(watcher.state(), WatchState::Live);
}

/// A source that was away for a minute sends what waited, ten times as fast as it was taken.
#[test]
fn a_backlog_of_the_source_is_history() {
    let backlog = |watcher: &mut Watcher, from: u64| {
        for (step, first) in (51..651).step_by(20).enumerate() {
            let now = from + 200 * (step as u64 + 1);
            watcher.link.message(now, &message("main", at_ten(first..=first + 19)));
            watcher.link.tick(now, 0.0);
            assert!(
                matches!(watcher.state(), WatchState::CatchingUp(_)),
                "at {first}: {:?}",
                watcher.state()
            );
        }
        from + 6_000
    };
    let mut watcher = Watcher::welcomed(Begin::After(BTreeMap::new()), Some(&[("main", 0)]));
    let now = watcher.live(0, 1..=50);
    let caught_up = backlog(&mut watcher, now + 60_000);
    watcher.live(caught_up, 711..=740);
    assert_eq!(watcher.state(), WatchState::Live);
    // Also for one that came while the source was away, and knows nothing of its clock.
    let mut late = Watcher::welcomed(Begin::After(seqs(&[("main", 50)])), Some(&[("main", 50)]));
    let caught_up = backlog(&mut late, 30_000);
    late.live(caught_up, 711..=760);
    assert_eq!(late.state(), WatchState::Live);
}

#[test]
fn a_clock_that_was_set_delays_nothing() {
    for (named, step) in [(true, -120_000), (false, -120_000), (true, 120_000)] {
        let mut watcher = Watcher::welcomed(Begin::After(BTreeMap::new()), Some(&[("main", 0)]));
        let mut now = watcher.live(0, 1..=50);
        for mut sample in at_ten(51..=150) {
            now += 100;
            sample.at = sample.at.saturating_add_signed(step);
            if named && sample.seq == 51 {
                sample.skipped.push(Skipped { reason: SkipReason::ClockStep, ms: step });
            }
            watcher.link.message(now, &message("main", vec![sample]));
            watcher.link.tick(now, 0.0);
            assert_eq!(watcher.state(), WatchState::Live, "{step}, named: {named}");
        }
    }
}

/// Without `throughs` all that tells history is that it comes faster than it was taken.
#[test]
fn an_older_relay_is_believed_once_its_samples_come_at_their_own_pace() {
    let mut watcher = Watcher::new(Begin::Recent);
    watcher.link.opened(0);
    watcher.link.message(0, &welcome(None));
    watcher.link.opened(1);
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{}}"#, "from the start, as ever");
    watcher.link.message(1, &welcome(None));
    for step in 0..30 {
        let now = 100 * (step + 1);
        watcher.link.message(now, &message("main", at_ten(step * 200 + 1..=step * 200 + 200)));
        watcher.link.tick(now, 0.0);
        assert_eq!(watcher.state(), WatchState::CatchingUp(None), "{now}");
    }
    watcher.live(3_000, 6_001..=6_050);
    assert_eq!(watcher.state(), WatchState::Live);

    // A source that had paused before: its history is no present either.
    let mut paused = Watcher::welcomed(Begin::After(BTreeMap::new()), None);
    for now in (100..10_000).step_by(100) {
        if now < 500 {
            paused.link.message(now, &message("main", at_ten(now - 99..=now)));
        }
        paused.link.tick(now, 0.0);
        assert_ne!(paused.state(), WatchState::Live, "{now}");
    }
    assert_eq!(paused.state(), WatchState::Quiet);
}

#[test]
fn one_source_that_is_behind_does_not_hide_another() {
    let mut watcher = Watcher::welcomed(
        Begin::After(seqs(&[("cam-2", 10), ("main", 0)])),
        Some(&[("cam-2", 10), ("main", 600)]),
    );
    watcher.link.message(100, &message("cam-2", at_ten(11..=11)));
    watcher.link.message(100, &message("main", at_ten(1..=20)));
    assert!(matches!(watcher.state(), WatchState::CatchingUp(_)));
    assert_eq!((watcher.pace("cam-2"), watcher.pace("main")), (SourcePace::Live, SourcePace::CatchingUp));
}

#[test]
fn an_open_line_that_has_gone_silent_is_connected_again() {
    let mut watcher = Watcher::new(Begin::After(BTreeMap::new()));
    watcher.link.opened(0);
    watcher.link.message(1_000, &welcome(Some(&[])));
    watcher.link.message(50_000, r#"{"type":"presence","sources":[],"watchers":1}"#);
    watcher.effects.clear();
    watcher.link.tick(109_999, 0.0);
    assert!(!watcher.effects().contains(&Effect::Close));
    watcher.link.tick(110_000, 0.0);
    assert!(watcher.effects().contains(&Effect::Close));
    assert_eq!(watcher.state(), WatchState::Offline { retry_in_ms: 250, trouble: None });
    watcher.link.tick(110_250, 0.0);
    assert!(watcher.effects().contains(&Effect::Connect));
}

#[test]
fn a_refusal_for_good_is_not_asked_again() {
    let mut watcher = Watcher::new(Begin::Recent);
    watcher.link.closed(0, 4401, 0.0);
    watcher.effects();
    watcher.effects.clear();
    watcher.link.tick(1_000_000, 0.0);
    watcher.link.hurry(1_000_000);
    assert_eq!((watcher.link.has_ended(), watcher.effects()), (true, [].as_slice()));
    let mut over = Watcher::new(Begin::Recent);
    over.link.closed(0, 1000, 0.0);
    assert_eq!(over.state(), WatchState::Ended(CloseCode::Done));
}

#[cfg(not(target_arch = "wasm32"))]
mod any_line {
    use super::*;
    use proptest::prelude::*;

    const STEP: u64 = 50;

    /// A stretch of time: what the source and the line do in it.
    #[derive(Clone, Copy, Debug)]
    struct Stretch {
        ms: u64,
        sends: bool,
        /// Samples that the line carries in a second; 0 for a cut.
        line: u64,
    }

    prop_compose! {
        fn stretch()(ms in 500_u64..20_000, sends in proptest::bool::weighted(0.7), line in prop_oneof![
            Just(0_u64), Just(12), Just(40), Just(2_000)
        ]) -> Stretch {
            Stretch { ms, sends, line }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Whatever pauses, cuts and slow lines come together, as long as a line carries more than is sent: what is
        /// told to be live is of now, give or take what a sample stands for and is late; and a quick line is live in
        /// the end.
        #[test]
        fn live_is_now(
            history in 0_u64..3_000, stretches in proptest::collection::vec(stretch(), 1..8), recent: bool, young: bool,
        ) {
            let mut stretches = stretches;
            stretches.push(Stretch { ms: 20_000, sends: true, line: 2_000 });
            // What is stored: `at` by the source's clock is the steady one, and a distance.
            let taken_ms = |at: u64| at - EPOCH;
            let mut stored: Vec<Sample> = at_ten(1..=history);
            let mut now = 100 * history + 1_000;
            let begin = if recent { Begin::Recent } else { Begin::After(BTreeMap::new()) };
            let mut link = Link::new("t".to_owned(), begin, young, now);
            let (mut open, mut sent, mut newest, mut state) = (false, 0_usize, 0_u64, None);
            for Stretch { ms, sends, line } in stretches {
                for _ in 0..ms / STEP {
                    now += STEP;
                    if sends && now.is_multiple_of(100) {
                        let seq = stored.len() as u64 + 1;
                        stored.push(Sample::new(seq, EPOCH + now, Vec::new()));
                    }
                    if line == 0 && open {
                        open = false;
                        link.closed(now, 1006, 0.5);
                    }
                    link.tick(now, 0.5);
                    loop {
                        let effects = link.take_effects();
                        if effects.is_empty() {
                            break;
                        }
                        for effect in effects {
                            match effect {
                                Effect::Connect if line == 0 => link.closed(now, 1006, 0.5),
                                Effect::Connect => link.opened(now),
                                Effect::Send(hello) => {
                                    let hello: serde_json::Value = serde_json::from_str(&hello).unwrap();
                                    let end = stored.len() as u64;
                                    let since = match &hello["since"] {
                                        serde_json::Value::Null => end,
                                        since => since["main"].as_u64().unwrap_or(0).min(end),
                                    };
                                    sent = since as usize;
                                    open = true;
                                    link.message(now, &welcome(Some(&[("main", end)])));
                                }
                                Effect::Close => open = false,
                                Effect::Tell(WatchEvent::State(told)) => state = Some(told),
                                Effect::Tell(WatchEvent::Samples { samples, .. }) => {
                                    newest = samples.last().map_or(newest, |sample| taken_ms(sample.at));
                                }
                                Effect::Tell(_) => {}
                                // Away, as the line is.
                                Effect::Probe => link.reached(now, Reach::Nobody),
                            }
                        }
                    }
                    let carried = (line * now / 1_000 - line * (now - STEP) / 1_000) as usize;
                    let end = stored.len().min(sent + carried);
                    if open && end > sent {
                        link.message(now, &message("main", stored[sent..end].to_vec()));
                        sent = end;
                    }
                    if state == Some(WatchState::Live) && now.is_multiple_of(1_000) {
                        prop_assert!(now - newest <= 10_000, "at {now} the newest is of {newest}");
                    }
                }
            }
            prop_assert_eq!(state, Some(WatchState::Live));
        }
    }
}

mod trouble;
