//! Whatever the line and the source do, what is reported as live is live.

use std::collections::BTreeMap;

use mien_shared::Sample;
use proptest::prelude::*;

use super::super::Receiver;
use super::watcher::{EPOCH, at, at_ten, message, welcome};
use crate::browser::Reach;
use crate::link::{Effect, Protocol};
use crate::{Begin, WatchEvent, WatchState};

const STEP: u64 = 50;

/// A stretch of time: what the source and the line do in it.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    ms: u64,
    sends: bool,
    /// Samples that the line carries per second; 0 for a cut.
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
    /// reported as live is current, give or take the time that a sample stands for and its delay; and a quick line is
    /// live in the end.
    #[test]
    fn live_is_now(
        history in 0_u64..3_000, stretches in proptest::collection::vec(stretch(), 1..8), recent: bool, young: bool,
    ) {
        let mut stretches = stretches;
        stretches.push(Stretch { ms: 20_000, sends: true, line: 2_000 });
        // What is stored: `at` by the source's clock is the steady time plus an offset.
        let taken_ms = |at: u64| at - EPOCH;
        let mut stored: Vec<Sample> = at_ten(1..=history);
        let mut now = 100 * history + 1_000;
        let begin = if recent { Begin::Recent } else { Begin::After(BTreeMap::new()) };
        let mut receiver = Receiver::new("t".to_owned(), begin, young, at(now));
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
                    receiver.closed(at(now), 1006, 0.5);
                }
                receiver.tick(at(now), 0.5);
                loop {
                    let effects = receiver.take_effects();
                    if effects.is_empty() {
                        break;
                    }
                    for effect in effects {
                        match effect {
                            Effect::Connect if line == 0 => receiver.closed(at(now), 1006, 0.5),
                            Effect::Connect => receiver.opened(at(now)),
                            Effect::Send(hello) => {
                                let hello: serde_json::Value = serde_json::from_str(&hello).unwrap();
                                let end = stored.len() as u64;
                                let since = match &hello["since"] {
                                    serde_json::Value::Null => end,
                                    since => since["main"].as_u64().unwrap_or(0).min(end),
                                };
                                sent = since as usize;
                                open = true;
                                receiver.message(at(now), &welcome(Some(&[("main", end)])), 0.0);
                            }
                            Effect::Close => open = false,
                            Effect::Other(WatchEvent::State(told)) => state = Some(told),
                            Effect::Other(WatchEvent::Samples { samples, .. }) => {
                                newest = samples.last().map_or(newest, |sample| taken_ms(sample.at));
                            }
                            Effect::Other(_) => {}
                            // Away, just like the line.
                            Effect::Probe => receiver.reached(at(now), Reach::Nobody),
                        }
                    }
                }
                let carried = (line * now / 1_000 - line * (now - STEP) / 1_000) as usize;
                let end = stored.len().min(sent + carried);
                if open && end > sent {
                    receiver.message(at(now), &message("main", stored[sent..end].to_vec()), 0.0);
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
