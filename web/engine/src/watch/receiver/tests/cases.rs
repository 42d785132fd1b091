//! One story at a time.

use std::collections::BTreeMap;

use mien_shared::problem::CloseCode;
use mien_shared::{Sample, SessionId, SkipReason, Skipped};

use super::super::Receiver;
use super::watcher::{EPOCH, Watcher, at, at_ten, behind, message, seqs, welcome};
use crate::link::{Effect, Protocol};
use crate::watch::handle::is_young;
use crate::{Begin, Behind, SourcePace, WatchEvent, WatchState};

#[test]
fn a_sample_comes_once_over_a_cut_and_the_next_hello_names_the_last() {
    let mut watcher = Watcher::new(Begin::After(BTreeMap::new()));
    watcher.receiver.opened(at(0));
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{}}"#);
    watcher.receiver.message(at(0), &welcome(Some(&[("main", 6)])), 0.0);
    watcher.receiver.message(at(1), &message("main", at_ten(5..=6)), 0.0);
    assert_eq!(watcher.seen(), [5, 6]);
    watcher.receiver.closed(at(10), 1006, 0.0);
    assert_eq!(watcher.state(), WatchState::Offline { retry_in_ms: 250, trouble: None });
    watcher.receiver.tick(at(259), 0.0);
    assert!(!watcher.effects().contains(&Effect::Connect));
    watcher.receiver.tick(at(260), 0.0);
    watcher.receiver.opened(at(261));
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{"main":6}}"#);
    watcher.receiver.message(at(262), &message("main", at_ten(6..=7)), 0.0);
    assert_eq!(watcher.seen(), [7]);
}

#[test]
fn a_cut_before_the_first_sample_moves_nothing() {
    let hello = r#"{"type":"hello","token":"t","since":{"main":40}}"#;
    let mut watcher = Watcher::new(Begin::After(seqs(&[("main", 40)])));
    watcher.receiver.opened(at(0));
    assert_eq!(watcher.hello(), hello);
    watcher.receiver.closed(at(10), 1006, 0.0);
    watcher.receiver.tick(at(10_000), 0.0);
    watcher.receiver.opened(at(10_001));
    assert_eq!(watcher.hello(), hello);
    // Stored while nobody watched.
    watcher.receiver.message(at(10_002), &message("main", at_ten(41..=42)), 0.0);
    assert_eq!(watcher.seen(), [41, 42]);
}

#[test]
fn who_joins_begins_a_few_minutes_before_the_end() {
    let mut watcher = Watcher::new(Begin::Recent);
    watcher.receiver.opened(at(0));
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t"}"#, "only to hear how far it is");
    watcher.receiver.message(at(1), &welcome(Some(&[("cam-2", 0), ("main", 108_000)])), 0.0);
    assert_eq!(watcher.effects(), [Effect::Close, Effect::Connect], "and says nothing of it");
    watcher.receiver.opened(at(2));
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{"cam-2":0,"main":104400}}"#);
    // When it is cut off, it still knows its position.
    watcher.receiver.closed(at(3), 1006, 0.0);
    assert_eq!(watcher.receiver.place(), Begin::After(seqs(&[("cam-2", 0), ("main", 104_400)])));
    watcher.receiver.tick(at(10_000), 0.0);
    watcher.receiver.opened(at(10_001));
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
        let mut receiver = Receiver::new("t".to_owned(), Begin::Recent, true, at(0));
        receiver.opened(at(0));
        let mut watcher = Watcher { receiver, effects: Vec::new() };
        assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{}}"#);
        watcher
    };
    for throughs in [Some([("main", 900)].as_slice()), None] {
        let mut watcher = opened();
        watcher.receiver.message(at(1), &welcome(throughs), 0.0);
        watcher.receiver.message(at(2), &message("main", at_ten(1..=1)), 0.0);
        assert!(!watcher.effects().contains(&Effect::Close));
        assert_eq!(watcher.seen(), [1]);
    }
    // It was not that young after all.
    let mut watcher = opened();
    watcher.receiver.message(at(1), &welcome(Some(&[("main", 108_000)])), 0.0);
    assert_eq!(watcher.effects(), [Effect::Close, Effect::Connect]);
    watcher.receiver.opened(at(2));
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{"main":104400}}"#);
}

#[test]
fn many_sources_share_what_a_joining_watcher_reads() {
    let names: Vec<String> = (0..200).map(|number| format!("s{number}")).collect();
    for (count, each) in [(2, 1_800), (200, 60)] {
        let throughs: Vec<(&str, u64)> = names[..count].iter().map(|name| (name.as_str(), 50_000)).collect();
        let mut watcher = Watcher::welcomed(Begin::Recent, Some(&throughs));
        watcher.receiver.opened(at(1));
        assert!(watcher.hello().contains(&format!(r#""s0":{}"#, 50_000 - each)), "{count}");
    }
}

#[test]
fn who_joins_before_the_first_sample_stays_on_the_line() {
    let mut watcher = Watcher::welcomed(Begin::Recent, Some(&[("main", 0)]));
    assert!(!watcher.effects().contains(&Effect::Close));
    assert_eq!(watcher.state(), WatchState::Quiet);
    watcher.receiver.message(at(1_000), &message("main", at_ten(1..=1)), 0.0);
    assert_eq!((watcher.state(), watcher.pace("main")), (WatchState::Live, SourcePace::Live));
    assert_eq!(watcher.seen(), [1]);
}

/// A sample that is reported before its state would be shown as something that it is not.
#[test]
fn history_is_told_as_such_until_what_came_meanwhile_was_seen_too() {
    let mut watcher = Watcher::welcomed(Begin::After(seqs(&[("main", 0)])), Some(&[("main", 600)]));
    assert_eq!(behind(&watcher.state()), None, "not known yet");
    // A slow line: a minute of samples takes 30 s.
    let mut now = 0;
    for first in (1..600).step_by(20) {
        now += 1_000;
        watcher.receiver.message(at(now), &message("main", at_ten(first..=first + 19)), 0.0);
        watcher.receiver.tick(at(now), 0.0);
        if first == 301 {
            let Behind { ms, most_ms } = behind(&watcher.state()).unwrap();
            assert_eq!((ms, most_ms), (28_000 + 16_000, 58_000 + 1_000));
        }
        assert_ne!(watcher.pace("main"), SourcePace::Live);
    }
    // Everything that was stored then has arrived, half a minute late.
    assert_eq!(now, 30_000);
    assert_eq!(behind(&watcher.state()).unwrap().ms, 30_000);
    watcher.receiver.message(at(31_000), &message("main", at_ten(601..=890)), 0.0);
    assert_eq!(watcher.state(), WatchState::Live);
    let told: Vec<bool> = watcher
        .effects()
        .iter()
        .rev()
        .filter_map(|effect| match effect {
            Effect::Other(WatchEvent::State(_)) => Some(false),
            Effect::Other(WatchEvent::Samples { .. }) => Some(true),
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
    watcher.receiver.closed(at(cut), 1006, 0.0);
    let back = cut + 720_000;
    watcher.receiver.tick(at(back), 0.0);
    watcher.receiver.opened(at(back));
    watcher.receiver.message(at(back), &welcome(Some(&[("main", 7_300)])), 0.0);
    let first = behind(&watcher.state()).unwrap();
    assert_eq!((first.ms / 60_000, watcher.pace("main")), (12, SourcePace::CatchingUp));
    watcher.receiver.message(at(back + 1_000), &message("main", at_ten(101..=3_700)), 0.0);
    watcher.receiver.tick(at(back + 1_000), 0.0);
    let half = behind(&watcher.state()).unwrap();
    assert_eq!((half.ms / 60_000, half.most_ms / 60_000), (6, 12));
    watcher.receiver.message(at(back + 2_000), &message("main", at_ten(3_701..=7_300)), 0.0);
    watcher.receiver.message(at(back + 2_100), &message("main", at_ten(7_301..=7_320)), 0.0);
    assert_eq!(watcher.state(), WatchState::Live);
}

#[test]
fn a_paused_source_is_not_live_and_neither_is_its_last_sample_for_whoever_joins() {
    let mut watcher = Watcher::welcomed(Begin::After(BTreeMap::new()), Some(&[("main", 0)]));
    let now = watcher.live(0, 1..=50);
    watcher.receiver.tick(at(now + 3_900), 0.0);
    assert_eq!(watcher.state(), WatchState::Live, "it may be a slow one");
    watcher.receiver.tick(at(now + 4_000), 0.0);
    assert_eq!((watcher.state(), watcher.pace("main")), (WatchState::Quiet, SourcePace::Quiet));
    // The person continues ten minutes later.
    let later = Sample::new(51, EPOCH + 5_100 + 600_000, Vec::new());
    watcher.receiver.message(at(now + 600_100), &message("main", vec![later]), 0.0);
    assert_eq!(watcher.state(), WatchState::Live);

    let mut late = Watcher::welcomed(Begin::After(seqs(&[("main", 20)])), Some(&[("main", 50)]));
    late.receiver.message(at(100), &message("main", at_ten(21..=50)), 0.0);
    assert_eq!(late.state(), WatchState::Quiet, "when that was cannot be told");
    assert!(!late.effects().contains(&Effect::Other(WatchEvent::State(WatchState::Live))));
}

#[test]
fn what_was_rejected_last_is_not_waited_for() {
    // The relay names the newest that is stored; a watcher may have begun beyond that.
    let mut watcher = Watcher::welcomed(Begin::After(seqs(&[("main", 60)])), Some(&[("main", 50)]));
    assert_eq!(watcher.state(), WatchState::Quiet);
    watcher.receiver.message(at(100), &message("main", at_ten(61..=61)), 0.0);
    assert_eq!(watcher.state(), WatchState::Live);
}

/// A source that was away for a minute sends what waited, ten times as fast as it was taken.
#[test]
fn a_backlog_of_the_source_is_history() {
    let backlog = |watcher: &mut Watcher, from: u64| {
        for (step, first) in (51..651).step_by(20).enumerate() {
            let now = from + 200 * (step as u64 + 1);
            watcher.receiver.message(at(now), &message("main", at_ten(first..=first + 19)), 0.0);
            watcher.receiver.tick(at(now), 0.0);
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
    // The same for one that joined while the source was away, and knows nothing about its clock.
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
            watcher.receiver.message(at(now), &message("main", vec![sample]), 0.0);
            watcher.receiver.tick(at(now), 0.0);
            assert_eq!(watcher.state(), WatchState::Live, "{step}, named: {named}");
        }
    }
}

/// Without `throughs`, the only sign of history is that it arrives faster than it was taken.
#[test]
fn an_older_relay_is_believed_once_its_samples_come_at_their_own_pace() {
    let mut watcher = Watcher::new(Begin::Recent);
    watcher.receiver.opened(at(0));
    watcher.receiver.message(at(0), &welcome(None), 0.0);
    watcher.receiver.opened(at(1));
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{}}"#, "from the start, as ever");
    watcher.receiver.message(at(1), &welcome(None), 0.0);
    for step in 0..30 {
        let now = 100 * (step + 1);
        watcher.receiver.message(at(now), &message("main", at_ten(step * 200 + 1..=step * 200 + 200)), 0.0);
        watcher.receiver.tick(at(now), 0.0);
        assert_eq!(watcher.state(), WatchState::CatchingUp(None), "{now}");
    }
    watcher.live(3_000, 6_001..=6_050);
    assert_eq!(watcher.state(), WatchState::Live);

    // A source that had paused before: its history is not the present either.
    let mut paused = Watcher::welcomed(Begin::After(BTreeMap::new()), None);
    for now in (100..10_000).step_by(100) {
        if now < 500 {
            paused.receiver.message(at(now), &message("main", at_ten(now - 99..=now)), 0.0);
        }
        paused.receiver.tick(at(now), 0.0);
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
    watcher.receiver.message(at(100), &message("cam-2", at_ten(11..=11)), 0.0);
    watcher.receiver.message(at(100), &message("main", at_ten(1..=20)), 0.0);
    assert!(matches!(watcher.state(), WatchState::CatchingUp(_)));
    assert_eq!((watcher.pace("cam-2"), watcher.pace("main")), (SourcePace::Live, SourcePace::CatchingUp));
}

#[test]
fn an_open_line_that_has_gone_silent_is_connected_again() {
    let mut watcher = Watcher::new(Begin::After(BTreeMap::new()));
    watcher.receiver.opened(at(0));
    watcher.receiver.message(at(1_000), &welcome(Some(&[])), 0.0);
    watcher.receiver.message(at(50_000), r#"{"type":"presence","sources":[],"watchers":1}"#, 0.0);
    watcher.effects.clear();
    watcher.receiver.tick(at(109_999), 0.0);
    assert!(!watcher.effects().contains(&Effect::Close));
    watcher.receiver.tick(at(110_000), 0.0);
    assert!(watcher.effects().contains(&Effect::Close));
    assert_eq!(watcher.state(), WatchState::Offline { retry_in_ms: 250, trouble: None });
    watcher.receiver.tick(at(110_250), 0.0);
    assert!(watcher.effects().contains(&Effect::Connect));
}

#[test]
fn a_refusal_for_good_is_not_asked_again() {
    let mut watcher = Watcher::new(Begin::Recent);
    watcher.receiver.closed(at(0), 4401, 0.0);
    watcher.effects();
    watcher.effects.clear();
    watcher.receiver.tick(at(1_000_000), 0.0);
    watcher.receiver.hurry(at(1_000_000));
    assert_eq!((watcher.receiver.is_over(), watcher.effects()), (true, [].as_slice()));
    let mut over = Watcher::new(Begin::Recent);
    over.receiver.closed(at(0), 1000, 0.0);
    assert_eq!(over.state(), WatchState::Ended(CloseCode::Done));
}
