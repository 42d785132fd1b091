//! The outbox over the browser's own IndexedDB.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Reflect};
use mien_shared::{Expression, Face, FaceBox, Sample, Scores, SessionId, SourceName};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::outbox::database::{NAME, OutboxDatabase};
use crate::outbox::ledger::Numbers;
use crate::outbox::storage::StorageFault;
use crate::{
    DatabaseFault, LinkEnd, LinkState, Recorder, RecorderEvent, SessionAccess, StorageMode, discard,
    unfinished, wall_now,
};

/// A source that no other test uses, of a relay that does not exist.
pub(super) fn access() -> SessionAccess {
    let random = (js_sys::Math::random() * 1e15) as u128;
    SessionAccess {
        session: SessionId(uuid::Uuid::from_u128((u128::from(wall_now().0) << 64) | random)),
        source: SourceName::default(),
        ingest_token: "t".to_owned(),
        relay_origin: "http://127.0.0.1:1".to_owned(),
    }
}

fn rows(keys: std::ops::RangeInclusive<u64>) -> Vec<(u64, Sample)> {
    keys.map(|key| (key, Sample::new(key, key * 10, Vec::new()))).collect()
}

fn face(id: u32) -> Face {
    let bounds = FaceBox { left: 0.2, top: 0.2, width: 0.3, height: 0.4 };
    let scores = Scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    Face { id, bounds, expression: Some(Expression::Neutral), scores, quality: None }
}

fn numbers(last: u64) -> Numbers {
    Numbers { last, ..Numbers::default() }
}

#[wasm_bindgen_test]
async fn rows_outlive_a_reload_and_leave_when_acked() {
    let access = access();
    let (disk, found) = OutboxDatabase::claim(&access).await.unwrap();
    assert_eq!((found.numbers, found.first_key), (Numbers::default(), None));
    disk.save(&rows(1..=5), numbers(5)).await.unwrap();
    disk.delete_through(2).await.unwrap();
    drop(disk);
    let (disk, found) = OutboxDatabase::claim(&access).await.unwrap();
    assert_eq!((found.numbers, found.first_key), (numbers(5), Some(3)));
    assert_eq!(disk.read(3, 4).await.unwrap(), rows(3..=4));
    let mine =
        |list: Vec<crate::Unfinished>| list.into_iter().find(|entry| entry.access.as_ref() == Some(&access));
    assert_eq!(mine(unfinished().await).unwrap().pending, 3);
    discard(access.session).await;
    assert_eq!(mine(unfinished().await), None);
}

/// As when a visitor immediately leaves the first page, which looks for recordings that wait.
#[wasm_bindgen_test]
async fn a_database_whose_first_opening_nobody_waited_for_is_whole() {
    // Deletes every database of this origin: the next opening creates them again.
    let factory = web_sys::window().unwrap().indexed_db().unwrap().unwrap();
    factory.delete_database(NAME).unwrap();
    assert!(unfinished().now_or_never().is_none());
    let (disk, _) = OutboxDatabase::claim(&access()).await.unwrap();
    disk.save(&rows(1..=2), numbers(2)).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_database_that_lacks_its_stores_gets_them() {
    let make_empty = Function::new_with_args(
        "name",
        "return new Promise(done => {
            indexedDB.deleteDatabase(name);
            const opening = indexedDB.open(name, 1);
            opening.onsuccess = () => { opening.result.close(); done(); };
        });",
    );
    let made = make_empty.call1(&JsValue::NULL, &NAME.into()).unwrap();
    wasm_bindgen_futures::JsFuture::from(made.unchecked_into::<js_sys::Promise>()).await.unwrap();
    let (disk, _) = OutboxDatabase::claim(&access()).await.unwrap();
    disk.save(&rows(1..=2), numbers(2)).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_source_belongs_to_whoever_opened_it_last() {
    let access = access();
    let (first, _) = OutboxDatabase::claim(&access).await.unwrap();
    first.save(&rows(1..=1), numbers(1)).await.unwrap();
    let (second, found) = OutboxDatabase::claim(&access).await.unwrap();
    assert_eq!(found.numbers, numbers(1));
    assert_eq!(first.save(&rows(2..=2), numbers(2)).await, Err(StorageFault::TakenOver));
    second.save(&rows(2..=3), numbers(3)).await.unwrap();
    assert_eq!(second.read(1, 9).await.unwrap(), rows(1..=3));
}

#[wasm_bindgen_test]
async fn a_recorder_without_a_relay_keeps_its_samples_over_a_reload() {
    let access = access();
    for visit in 1..=2_u64 {
        let recorder = Recorder::open(access.clone(), |_| {}).await;
        assert_eq!(recorder.status().pending, (visit - 1) * 10);
        for at in 0..10 {
            recorder.push(Sample::new(0, visit * 100 + at, Vec::new()));
        }
        TimeoutFuture::new(600).await;
        let status = recorder.status();
        assert_eq!((status.pending, status.mode), (visit * 10, StorageMode::Disk));
        assert!(!recorder.complete(50).await);
        recorder.close();
    }
    let (disk, found) = OutboxDatabase::claim(&access).await.unwrap();
    assert_eq!(found.numbers.last, 20);
    let stored = disk.read(1, 99).await.unwrap();
    assert_eq!(stored.iter().map(|(_, sample)| sample.at).collect::<Vec<_>>()[9..=10], [109, 200]);
}

#[wasm_bindgen_test]
async fn a_faces_identity_is_not_given_again_after_a_reload() {
    let access = access();
    let recorder = Recorder::open(access.clone(), |_| {}).await;
    assert_eq!(recorder.next_face(), 0);
    recorder.push(Sample::new(0, 1, vec![face(3), face(7)]));
    recorder.push(Sample::new(0, 2, vec![face(3)]));
    TimeoutFuture::new(600).await;
    drop(recorder);
    assert_eq!(Recorder::open(access, |_| {}).await.next_face(), 8);
}

#[wasm_bindgen_test]
async fn a_recorder_that_goes_writes_what_has_gathered() {
    let access = access();
    let recorder = Recorder::open(access.clone(), |_| {}).await;
    recorder.push(Sample::new(0, 1, Vec::new()));
    recorder.push(Sample::new(0, 2, Vec::new()));
    drop(recorder);
    assert_eq!(Recorder::open(access, |_| {}).await.status().pending, 2);
}

#[wasm_bindgen_test]
async fn a_page_that_is_left_writes_at_once() {
    let access = access();
    let recorder = Recorder::open(access.clone(), |_| {}).await;
    recorder.push(Sample::new(0, 1, Vec::new()));
    recorder.push(Sample::new(0, 2, Vec::new()));
    web_sys::window().unwrap().dispatch_event(&web_sys::Event::new("pagehide").unwrap()).unwrap();
    let (_, found) = OutboxDatabase::claim(&access).await.unwrap();
    assert_eq!((found.numbers.last, found.first_key), (2, Some(1)));
    assert_eq!(recorder.status().pending, 2);
}

#[wasm_bindgen_test]
async fn an_older_tab_hears_that_it_was_taken_over() {
    let access = access();
    let states = Rc::new(RefCell::new(Vec::new()));
    let log = states.clone();
    let older = Recorder::open(access.clone(), move |event| {
        if let RecorderEvent::Status(status) = event {
            log.borrow_mut().push(status.link);
        }
    })
    .await;
    let _newer = Recorder::open(access, |_| {}).await;
    older.push(Sample::new(0, 1, Vec::new()));
    TimeoutFuture::new(600).await;
    let last = states.borrow().last().cloned();
    assert_eq!(last, Some(LinkState::Ended(LinkEnd::TakenOver)));
}

#[wasm_bindgen_test]
async fn without_a_database_it_records_in_memory_and_says_why() {
    // As in a private window of some browsers: the property throws. It belongs to the window itself, so it is restored.
    let name = "indexedDB".into();
    let window = js_sys::global();
    let kept = Reflect::get_own_property_descriptor(&window, &name).unwrap();
    let throws = "return { configurable: true, get() { throw new DOMException('no', 'SecurityError'); } }";
    let throws = Function::new_no_args(throws).call0(&JsValue::NULL).unwrap();
    Reflect::define_property(&window, &name, throws.unchecked_ref()).unwrap();
    let recorder = Recorder::open(access(), |_| {}).await;
    recorder.push(Sample::new(0, 1, Vec::new()));
    let status = recorder.status();
    let listed = unfinished().await;
    Reflect::define_property(&window, &name, kept.unchecked_ref()).unwrap();
    assert_eq!(status.mode, StorageMode::Memory { why: DatabaseFault::Unavailable });
    assert_eq!((status.pending, listed.len()), (1, 0));
}

/// As in a page that has been hidden for long, timers that repeat do not run; and sockets are counted.
const NO_TIMERS: &str = "
    const [set, Socket] = [window.setInterval, window.WebSocket];
    window.setInterval = () => 0;
    let opened = 0;
    window.WebSocket = class extends Socket {
        constructor(...address) { super(...address); opened += 1; }
    };
    return {
        opened: () => opened,
        restore: () => { [window.setInterval, window.WebSocket] = [set, Socket]; },
    };
";

#[wasm_bindgen_test]
async fn a_link_whose_timer_does_not_run_is_kept_going_by_its_samples() {
    let page = Function::new_no_args(NO_TIMERS).call0(&JsValue::NULL).unwrap();
    let call = |name: &str| {
        let function: Function = Reflect::get(&page, &name.into()).unwrap().unchecked_into();
        function.call0(&JsValue::NULL).unwrap()
    };
    let recorder = Recorder::open(access(), |_| {}).await;
    for seq in 0..200 {
        if call("opened").as_f64() >= Some(3.0) {
            break;
        }
        recorder.push(Sample::new(0, seq * 50, Vec::new()));
        TimeoutFuture::new(50).await;
    }
    call("restore");
    assert!(call("opened").as_f64() >= Some(3.0), "it tried once and never again");
    recorder.close();
}
