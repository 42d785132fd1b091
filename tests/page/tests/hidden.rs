//! A tab that is hidden goes on recording: an interviewer has the call in front of it. The browser throttles it as it does
//! on a person's machine.

use std::time::Duration;

use mien_page_tests::api::assert_gapless;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::clip::Film;
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_page_tests::wait;
use mien_shared::{Sample, SkipReason};

const SOME: u64 = 10;
/// Samples per second that a hidden tab must store at least.
const RATE: u64 = 5;
/// For as long as this the tab is hidden, in pieces after each of which it is counted what is stored.
const PIECES: u64 = 6;
const PIECE: Duration = Duration::from_secs(10);

/// Counts what a hidden page no longer gets, and which part its reader was given.
const COUNT: &str = "
    globalThis.counted = { timer: 0, frame: 0 };
    setInterval(() => counted.timer++, 100);
    const next = () => { counted.frame++; requestAnimationFrame(next); };
    requestAnimationFrame(next);
    globalThis.parts = [];
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, transfer) {
        if (JSON.parse(message.header).type === 'read') {
            const part = ['stream', 'track'].find(name => name in message) ?? 'nothing';
            if (globalThis.refuses?.includes(part)) throw new DOMException('not here', 'DataCloneError');
            globalThis.parts.push(part);
        }
        return post.call(this, message, transfer ?? []);
    };
";

/// An engine without a processor of tracks in pages, which cannot give a track to a worker either.
const NO_PROCESSOR: &str = "delete globalThis.MediaStreamTrackProcessor; globalThis.refuses = ['track'];";

/// Time that was lost for this reason, milliseconds.
fn skipped(samples: &[Sample], reason: SkipReason) -> i64 {
    let parts = samples.iter().flat_map(|sample| &sample.skipped);
    parts.filter(|part| part.reason == reason).map(|part| part.ms).sum()
}

/// Capture times that increase, in order of seq.
fn assert_in_order(samples: &[Sample]) {
    for pair in samples.windows(2) {
        assert!(pair[0].at < pair[1].at, "a double, or out of order: {pair:?}");
    }
}

fn parts(page: &Page) -> Option<serde_json::Value> {
    page.ask("parts")
}

/// Browsers take a moment to be awake again, and so do the reader and the page.
const SWITCHES_MS: i64 = 1_500;

#[test]
fn a_camera_is_recorded_and_stored_through_a_minute_in_a_hidden_tab() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.throttling_browser();
    let page = browser.page();
    page.before_each_load(COUNT);
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SOME);
    assert_eq!(parts(&page), Some(serde_json::json!([])), "a visible page reads by itself");

    page.set_hidden(true);
    let hidden_at = mien_page_tests::source::now_ms();
    page.ask("counted.timer = counted.frame = 0");
    let mut stored = vec![relay.api().stored(session)];
    for _ in 0..PIECES {
        std::thread::sleep(PIECE);
        stored.push(relay.api().stored(session));
    }
    let counted = page.ask("counted").expect("a page that runs");
    let title = page.ask("document.title").expect("a title");
    let shown_at = mien_page_tests::source::now_ms();
    page.set_hidden(false);
    println!("stored, every {} s: {stored:?}; {counted}", PIECE.as_secs());
    assert!(
        counted["frame"] == 0 && counted["timer"].as_u64() <= Some(2 * PIECES * PIECE.as_secs()),
        "{counted}"
    );
    assert!(title.as_str().is_some_and(|title| title.starts_with("Recording")), "{title}");
    for pair in stored.windows(2) {
        assert!(pair[1] - pair[0] >= RATE * PIECE.as_secs(), "not meanwhile: {stored:?}");
    }

    let after = relay.api().stored(session);
    relay.api().wait_for_samples(session, after + SOME);
    stage::stop_session(&page);
    assert_eq!(parts(&page), Some(serde_json::json!(["stream"])));
    let samples = relay.api().samples(session);
    assert_gapless(&samples);
    assert_in_order(&samples);
    let hidden = samples.iter().filter(|sample| (hidden_at..shown_at).contains(&sample.at)).count() as u64;
    println!("{hidden} samples of the hidden tab in {} ms", shown_at - hidden_at);
    assert!(hidden * 1_000 >= RATE * (shown_at - hidden_at), "{hidden}");
    assert!(samples.iter().all(|sample| !sample.faces.is_empty()), "the portrait is there throughout");
    let lost = skipped(&samples, SkipReason::Hidden);
    assert!(lost < SWITCHES_MS, "{lost} ms");
    assert_eq!(browser.traffic().complaints, Vec::<String>::new());
}

#[test]
fn an_engine_without_a_processor_looks_at_its_hidden_video() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.throttling_browser();
    let page = browser.page();
    page.before_each_load(COUNT);
    page.before_each_load(NO_PROCESSOR);
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SOME);
    for _ in 0..2 {
        page.set_hidden(true);
        let before = relay.api().stored(session);
        std::thread::sleep(PIECE);
        let stored = relay.api().stored(session) - before;
        println!("{stored} stored in {} s", PIECE.as_secs());
        assert!(stored >= RATE * PIECE.as_secs(), "{stored}");
        page.set_hidden(false);
        let after = relay.api().stored(session);
        relay.api().wait_for_samples(session, after + SOME);
    }
    stage::stop_session(&page);
    assert_eq!(parts(&page), Some(serde_json::json!(["nothing", "nothing"])));
    let samples = relay.api().samples(session);
    assert_in_order(&samples);
    let lost = skipped(&samples, SkipReason::Hidden);
    assert!(lost < 2 * SWITCHES_MS, "{lost} ms");
}

#[test]
fn a_link_that_is_cut_in_a_hidden_tab_is_back_long_before_the_tab_is() {
    let stage = Stage::set();
    let mut relay = Relay::start();
    let browser = stage.throttling_browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SOME);
    page.set_hidden(true);
    // By now a timer of the page runs once a minute.
    std::thread::sleep(3 * PIECE / 2);
    relay.kill();
    std::thread::sleep(Duration::from_secs(2));
    relay.restart();
    let before = relay.api().stored(session);
    wait::until_within(2 * PIECE, "samples of the hidden tab", || {
        (relay.api().stored(session) > before + 5 * SOME).then_some(())
    });
    page.set_hidden(false);
    stage::stop_session(&page);
    assert_gapless(&relay.api().samples(session));
}

#[test]
fn a_film_plays_on_in_a_hidden_tab_and_none_of_it_is_missed() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start_throttling(&Camera::Absent);
    let page = browser.page();
    page.goto(&relay.url());
    page.click("start-session");
    page.click("consent-allow");
    page.choose_file("[data-testid=fault] [data-testid=open-file]", &Film::file());
    let session = stage::live_session(&page);
    let sent_past = |ms: u64| {
        wait::until(&format!("the film to come to {ms} ms"), || {
            browser.traffic().samples().iter().any(|sample| sample.media_ms >= Some(ms)).then_some(())
        });
    };
    sent_past(1_000);
    page.set_hidden(true);
    sent_past(7_000);
    page.set_hidden(false);
    page.wait_for("the end of the film", "document.body.innerText.includes('The file has finished')");
    stage::stop_session(&page);
    let samples = relay.api().samples(session);
    assert_in_order(&samples);
    let positions: Vec<u64> = samples.iter().filter_map(|sample| sample.media_ms).collect();
    for (pair, sample) in positions.windows(2).zip(&samples[1..]) {
        let told = skipped(std::slice::from_ref(sample), SkipReason::Throttled);
        let step = pair[1].cast_signed() - pair[0].cast_signed();
        assert!((1..1_000 + told).contains(&step), "{step} ms of the film, {told} ms told: {positions:?}");
    }
    assert!(positions.last() >= Some(&(Film::LENGTH_MS - 500)), "{positions:?}");
    for sample in &samples {
        if let Some(expected) = sample.media_ms.and_then(Film::has_face) {
            assert_eq!(!sample.faces.is_empty(), expected, "at {:?} ms of the film", sample.media_ms);
        }
    }
    let lost = skipped(&samples, SkipReason::Hidden);
    assert!(lost < SWITCHES_MS, "{lost} ms");
    assert_eq!(browser.traffic().complaints, Vec::<String>::new());
}
