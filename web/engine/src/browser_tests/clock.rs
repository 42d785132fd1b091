//! The wall clock is set while something waits. Whatever waits must use the monotonic clock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use js_sys::Function;
use mien_shared::Sample;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use super::outbox::access;
use crate::clock::ClockSteps;
use crate::outbox::database::OutboxDatabase;
use crate::outbox::ledger::Numbers;
use crate::{
    Begin, LinkState, Recorder, RecorderEvent, StorageMode, Watch, WatchEvent, WatchState, discard,
    unfinished,
};

/// Far longer than any pause of ours.
const TWO_MINUTES: f64 = 120_000.0;
const MONTH: f64 = 31.0 * 24.0 * 3_600_000.0;

/// Shifts the page's wall clock by this many milliseconds until dropped.
struct Set(Function);

impl Set {
    fn by(ms: f64) -> Self {
        let set = "const real = Date.now; Date.now = () => real.call(Date) + ms; return () => { Date.now = real; };";
        let back = Function::new_with_args("ms", set).call1(&JsValue::NULL, &ms.into()).unwrap();
        Self(back.unchecked_into())
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        self.0.call0(&JsValue::NULL).unwrap();
    }
}

/// Waits for a condition; fails after ten seconds, longer than any pause of ours.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        TimeoutFuture::new(10).await;
    }
    panic!("not in time: {what}");
}

async fn pending_on_disk(session: mien_shared::SessionId) -> u64 {
    let list = unfinished().await;
    list.into_iter().find(|entry| entry.session == session).map_or(0, |entry| entry.pending)
}

#[wasm_bindgen_test]
async fn samples_go_on_being_written_and_a_relay_that_is_away_is_tried_again() {
    for step in [-TWO_MINUTES, TWO_MINUTES] {
        let access = access();
        let tries = Rc::new(RefCell::new(0));
        let log = tries.clone();
        let recorder = Recorder::open(access.clone(), move |event| {
            if let RecorderEvent::Status(status) = event {
                *log.borrow_mut() += u32::from(status.link == LinkState::Connecting);
            }
        })
        .await;
        recorder.push(Sample::new(0, 1, Vec::new()));
        until("an attempt to connect", || {
            *tries.borrow() > 0 && matches!(recorder.status().link, LinkState::Offline { .. })
        })
        .await;
        let before = *tries.borrow();
        let _set = Set::by(step);
        recorder.push(Sample::new(0, 2, Vec::new()));
        until("two more attempts", || *tries.borrow() >= before + 2).await;
        assert_eq!(pending_on_disk(access.session).await, 2, "written, with the clock set by {step} ms");
        assert_eq!(recorder.status().mode, StorageMode::Disk);
        recorder.close();
        discard(access.session).await;
    }
}

#[wasm_bindgen_test]
async fn a_watcher_tries_again_too() {
    for step in [-TWO_MINUTES, TWO_MINUTES] {
        let access = access();
        let states = Rc::new(RefCell::new(Vec::new()));
        let log = states.clone();
        let _watch = Watch::open(
            &access.relay_origin,
            access.session,
            "t",
            Begin::After(BTreeMap::new()),
            move |event| {
                if let WatchEvent::State(state) = event {
                    log.borrow_mut().push(state);
                }
            },
        );
        until("a cut", || matches!(states.borrow().last(), Some(WatchState::Offline { .. }))).await;
        let _set = Set::by(step);
        states.borrow_mut().clear();
        until("another attempt", || states.borrow().contains(&WatchState::Connecting)).await;
    }
}

#[wasm_bindgen_test]
fn a_step_is_seen_and_only_once() {
    let mut steps = ClockSteps::default();
    let mut next = || steps.next(crate::browser::captured_now()).map(|skipped| skipped.ms);
    assert_eq!((next(), next()), (None, None));
    for step in [-TWO_MINUTES, TWO_MINUTES] {
        let set = Set::by(step);
        let found = next().unwrap() as f64;
        assert!((found - step).abs() < 100.0, "{found} for {step}");
        assert_eq!(next(), None);
        drop(set);
        assert!(next().is_some(), "set back");
    }
}

/// The record of a source with nothing pending is removed after a month, even if it was written by a clock that was a
/// year ahead.
#[wasm_bindgen_test]
async fn a_record_from_the_future_is_not_kept_for_ever() {
    let access = access();
    let numbers = Numbers { last: 7, ..Numbers::default() };
    {
        let _ahead = Set::by(12.0 * MONTH);
        let (disk, _) = OutboxDatabase::claim(&access).await.unwrap();
        disk.save(&[], numbers).await.unwrap();
    }
    // Old records are removed while looking for recordings that wait.
    unfinished().await;
    {
        let _later = Set::by(MONTH);
        unfinished().await;
    }
    let (_, found) = OutboxDatabase::claim(&access).await.unwrap();
    assert_eq!(found.numbers, Numbers::default(), "it is gone");
}
