//! From camera to committed sample: what the relay stores is what the picture shows.

use mien_page_tests::analyze;
use mien_page_tests::api::assert_gapless;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_page_tests::wait;

const SAMPLES: u64 = 20;
/// The tracker may take a few frames to decide about a new face.
const SETTLED_AFTER: usize = 5;

#[test]
fn a_face_before_the_camera_becomes_stored_samples() {
    let stage = Stage::set();
    let expected = analyze::face(&stage.clip.still);
    assert!(expected.bounds.iou(&stage.clip.face) > 0.5, "{expected:?} is not at {:?}", stage.clip.face);

    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SAMPLES + SETTLED_AFTER as u64);
    page.wait_for(
        "the expression on the page",
        &format!(
            "document.querySelector('[data-testid=expression]')?.dataset.expression === {:?}",
            expected.expression.map_or("unsure", mien_shared::Expression::name)
        ),
    );
    let said = stage::stop_session(&page);

    let samples = relay.api().samples(session);
    assert_eq!(said, samples.len() as u64, "the page tells what the relay has");
    assert_gapless(&samples);
    for sample in &samples[SETTLED_AFTER..] {
        let [face] = sample.faces.as_slice() else { panic!("one face, not {:?}", sample.faces) };
        assert!(face.bounds.iou(&stage.clip.face) > 0.5, "sample {}: {:?}", sample.seq, face.bounds);
        assert_eq!(face.expression, expected.expression, "sample {}: {:?}", sample.seq, face.scores);
        assert_eq!(face.id, samples[SETTLED_AFTER].faces[0].id, "one person, one identity");
    }
    let times: Vec<u64> = samples.iter().map(|sample| sample.at).collect();
    assert!(times.is_sorted(), "capture times go forward");
    assert_eq!(browser.traffic().complaints, Vec::<String>::new());
}

#[test]
fn the_demo_works_without_a_camera() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto(&relay.url());
    page.click("try-demo");
    page.wait_for("a face", "Number(document.querySelector('[data-testid=faces]')?.dataset.count) > 0");
    page.wait_for(
        "an expression",
        "(document.querySelector('[data-testid=expression]')?.dataset.expression ?? 'none') !== 'none'",
    );
    assert_eq!(browser.traffic().bodies, Vec::<usize>::new(), "the demo sends nothing");
    assert_eq!(browser.traffic().messages, Vec::<String>::new(), "the demo sends nothing");
}

#[test]
fn stop_releases_the_camera() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.before_each_load(KEEP_TRACKS);
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 1);
    assert_eq!(page.ask("tracks.map(track => track.readyState).join()"), Some("live".into()));
    stage::stop_session(&page);
    page.wait_for("the camera's light to go off", "tracks.every(track => track.readyState === 'ended')");
}

#[test]
fn a_recording_that_was_left_waits_with_the_camera_off() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.before_each_load(KEEP_TRACKS);
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SAMPLES);
    page.ask("document.querySelector('.top .brand').click()");
    page.wait_for_element("recording");
    page.wait_for("the camera's light to go off", "tracks.every(track => track.readyState === 'ended')");

    page.ask("history.back()");
    assert_eq!(stage::live_session(&page), session);
    page.wait_for("the page to say that it is paused", "document.querySelector('.badge.paused')");
    assert_eq!(page.ask("asked"), Some(1.into()), "the camera was opened again without a word");
    let before = relay.api().stored(session);
    page.click("pause");
    relay.api().wait_for_samples(session, before + SAMPLES);
    stage::stop_session(&page);
    assert_gapless(&relay.api().samples(session));
}

#[test]
fn a_page_that_has_the_only_copy_asks_before_it_is_left() {
    const NO_DISK: &str = "
        Object.defineProperty(globalThis, 'indexedDB', { get() { throw new DOMException('', 'SecurityError'); } });
        globalThis.questions = 0;
        globalThis.confirm = () => { globalThis.questions += 1; return false; };
    ";
    let stage = Stage::set();
    let mut relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.before_each_load(NO_DISK);
    let session = stage::start_session(&page, &relay.url());
    page.wait_for_element("memory-only");
    relay.api().wait_for_samples(session, SAMPLES);
    relay.kill();
    page.wait_for("a backlog", "document.querySelector('[data-testid=pending]')?.dataset.count > 5");
    page.ask("document.querySelector('.top .brand').click()");
    page.ask("history.back()");
    page.wait_for("two questions", "questions === 2");
    assert_eq!(stage::live_session(&page), session, "it stays");
    relay.restart();
    stage::stop_session(&page);
    assert_gapless(&relay.api().samples(session));
    page.ask("document.querySelector('.card .brand').click()");
    page.wait_for_element("recording");
    assert_eq!(page.ask("questions"), Some(2.into()), "nothing is lost by leaving now");
}

#[test]
fn stop_stays_on_a_phone_s_screen_whatever_the_bar_says() {
    let stage = Stage::set();
    let mut relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SAMPLES);
    relay.kill();
    page.wait_for("a backlog", "document.querySelector('[data-testid=pending]')?.dataset.count > 5");
    for (width, height) in [(740, 360), (844, 390), (360, 740), (1024, 600)] {
        page.look(width, height, "light");
        let outside = page.ask(
            "(box => Math.max(box.right - innerWidth, box.bottom - innerHeight, document.body.scrollWidth - innerWidth))(document.querySelector('[data-testid=stop]').getBoundingClientRect())",
        );
        assert!(
            outside.as_ref().and_then(|pixels| pixels.as_f64()).is_some_and(|pixels| pixels <= 0.0),
            "{width} × {height}: {outside:?} px outside"
        );
    }
}

#[test]
fn the_camera_is_asked_for_only_after_consent() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.before_each_load(KEEP_TRACKS);
    page.goto(&relay.url());
    page.click("start-session");
    page.wait_for_element("consent");
    assert_eq!(page.ask("asked"), Some(0.into()), "the page asked for the camera before the person said yes");
    page.click("consent-allow");
    page.wait_for("the page to ask for the camera", "asked === 1");
    stage::live_session(&page);
}

#[test]
fn another_camera_goes_on_with_the_session_and_is_remembered() {
    const OPEN: &str = "tracks.find(track => track.readyState === 'live')?.getSettings().deviceId";
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Two);
    let page = browser.page();
    page.before_each_load(KEEP_TRACKS);
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SAMPLES);
    let first = page.wait_for("an open camera", OPEN);

    page.wait_for(
        "two to choose from",
        "document.querySelectorAll('[data-testid=camera] option').length === 2",
    );
    let index = page
        .ask("(list => (list.focus(), list.selectedIndex))(document.querySelector('[data-testid=camera]'))");
    page.press(if index == Some(0.into()) { "ArrowDown" } else { "ArrowUp" });
    page.wait_for("the first to be released", "tracks.length === 2 && tracks[0].readyState === 'ended'");
    let second = page.wait_for("the other camera", OPEN);
    assert_ne!(first, second);
    let before = relay.api().stored(session);
    relay.api().wait_for_samples(session, before + SAMPLES);

    page.reload();
    assert_eq!(stage::live_session(&page), session);
    assert_eq!(page.wait_for("a camera after the reload", OPEN), second, "the choice is remembered");
    stage::stop_session(&page);
    assert_gapless(&relay.api().samples(session));
}

#[test]
fn a_marker_is_stored_listed_and_deleted() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 1);
    let stored = |what: &str, labels: &[&str]| {
        wait::until(what, || relay.api().markers(session).filter(|list| list == labels));
    };
    page.click("mark");
    page.click("marker-save");
    stored("the marker", &["Marker 1"]);

    page.reload();
    stage::live_session(&page);
    let before = relay.api().stored(session);
    relay.api().wait_for_samples(session, before + 1);
    page.click("mark");
    page.wait_for(
        "it in the list",
        "document.querySelector('[data-testid=markers]')?.innerText.includes('Marker 1')",
    );
    page.click("marker-delete");
    stored("it to be gone", &[]);
}

/// Refuses markers, like a network that is down.
const CUT_MARKERS: &str = "(() => {
    const real = window.fetch;
    window.fetch = (url, init) => init?.method === 'POST' && url.endsWith('/markers')
        ? Promise.reject(new TypeError('cut')) : real(url, init);
    return true;
})()";

#[test]
fn a_marker_that_could_not_be_sent_is_sent_after_a_reload() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 1);
    page.wait_for("the cut", CUT_MARKERS);
    page.click("mark");
    page.click("marker-save");
    page.wait_for(
        "the marker to be kept",
        "localStorage.length > 0 && JSON.stringify(localStorage).includes('Marker 1')",
    );
    assert_eq!(relay.api().markers(session), Some(vec![]));

    page.reload();
    stage::live_session(&page);
    wait::until("the marker", || relay.api().markers(session).filter(|list| list == &["Marker 1"]));
    page.wait_for("nothing to be kept any more", "!JSON.stringify(localStorage).includes('Marker 1')");
}

/// Counts camera requests and keeps the resulting tracks.
const KEEP_TRACKS: &str = "
    globalThis.asked = 0;
    globalThis.tracks = [];
    const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
    if (open) navigator.mediaDevices.getUserMedia = async wanted => {
        globalThis.asked += 1;
        const stream = await open(wanted);
        globalThis.tracks.push(...stream.getTracks());
        return stream;
    };
";
