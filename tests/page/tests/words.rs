//! What the page says about a recording is true, and is shown only as long as it is.

use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};

const STATE: &str = "document.querySelector('[data-testid=link-state]')?.dataset.state";

fn wait_for_state(page: &Page, state: &str) {
    page.wait_for(&format!("the link to be {state}"), &format!("{STATE} === {state:?}"));
}

fn bytes_sent(page: &Page) -> u64 {
    let bytes = page.attribute("bytes-sent", "data-bytes");
    bytes.and_then(|bytes| bytes.parse().ok()).expect("a count of bytes")
}

#[test]
fn a_paused_recording_is_not_live() {
    let stage = Stage::set();
    let mut relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 3);
    wait_for_state(&page, "live");
    page.wait_for("the tab's name", "document.title.startsWith('Recording · ')");
    page.click("pause");
    wait_for_state(&page, "paused");
    page.wait_for("the tab's name", "document.title.startsWith('Paused · ')");
    assert!(!page.text().contains("Live"), "{}", page.text());
    relay.kill();
    wait_for_state(&page, "offline");
    page.wait_for_text("Paused, offline");
    relay.restart();
    wait_for_state(&page, "paused");
    page.click("pause");
    wait_for_state(&page, "live");
    stage::stop_session(&page);
    page.wait_for("the tab's name", "document.title.startsWith('Recorded · ')");
}

#[test]
fn what_was_sent_never_falls() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 20);
    let before = bytes_sent(&page);
    assert!(before > 0);
    page.ask("document.querySelector('.top .brand').click()");
    page.wait_for_element("recording");
    page.ask("history.back()");
    assert_eq!(stage::live_session(&page), session);
    let back = bytes_sent(&page);
    assert!(back >= before, "{back} after {before}");

    let other = browser.page();
    other.goto(&format!("{}/session/{session}", relay.url()));
    other.click("consent-allow");
    assert_eq!(stage::live_session(&other), session);
    let elsewhere = bytes_sent(&other);
    assert!(elsewhere >= back, "{elsewhere} in another tab after {back}");
}

#[test]
fn an_erased_session_is_said_to_be_erased() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 3);
    stage::stop_session(&page);
    let address = format!("{}/session/{session}", relay.url());

    let stranger = Browser::start(&Camera::Absent);
    let screen = stranger.page();
    screen.goto(&address);
    assert_eq!(stage::fault(&screen), "forgotten");
    screen.wait_for_text("still stored by the relay");

    let second = browser.page();
    second.goto(&address);
    second.wait_for_element("done");
    page.click("erase");
    page.click("erase-confirm");
    assert_eq!(stage::fault(&page), "erased");
    page.wait_for("the tab's name", "document.title === 'This session was erased · Mien'");
    for tab in [&page, &second] {
        tab.goto(&relay.url());
        tab.wait_for_element("start-session");
        tab.goto(&address);
        assert_eq!(stage::fault(tab), "erased");
        assert!(!tab.text().contains("still stored"), "{}", tab.text());
    }
    screen.goto(&relay.url());
    screen.wait_for_element("start-session");
    screen.goto(&address);
    assert_eq!(stage::fault(&screen), "not-found");
}

/// A camera that films while `filming` is true.
const CANVAS_CAMERA: &str = "
    globalThis.filming = true;
    if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
        const context = canvas.getContext('2d');
        const stream = canvas.captureStream(0);
        const [track] = stream.getVideoTracks();
        const settings = track.getSettings.bind(track);
        track.getSettings = () => ({ ...settings(), deviceId: 'canvas' });
        let shade = 0;
        setInterval(() => {
            if (!filming) return;
            context.fillStyle = `hsl(${shade += 7} 50% 50%)`;
            context.fillRect(0, 0, 640, 480);
            track.requestFrame();
        }, 100);
        return stream;
    };
";

#[test]
fn a_silent_camera_is_told_until_it_films_again() {
    const NOTICE: &str = "[...document.querySelectorAll('[data-testid=notice]')].find(one => one.innerText.includes('The camera gives no pictures'))";
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.before_each_load(CANVAS_CAMERA);
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 3);
    wait_for_state(&page, "live");
    page.ask("filming = false");
    page.wait_for("the notice", &format!("!!{NOTICE}"));
    page.ask("filming = true");
    page.wait_for("it to go", &format!("!{NOTICE}"));
    wait_for_state(&page, "live");

    // Once read and closed, it stays closed while it holds; it is shown again when it happens again.
    page.ask("filming = false");
    page.wait_for("the notice again", &format!("!!{NOTICE}"));
    wait_for_state(&page, "silent");
    page.wait_for("the tab's name", "document.title.startsWith('No pictures · ')");
    page.wait_for(
        "a screen reader to hear it",
        "[...document.querySelectorAll('[role=status]')].some(one => one.innerText.startsWith('The camera gives no pictures'))",
    );
    page.ask(&format!("{NOTICE}.querySelector('button').click()"));
    page.wait_for("it to be closed", &format!("!{NOTICE}"));
    wait_for_state(&page, "silent");
    page.click("pause");
    wait_for_state(&page, "paused");
    assert_eq!(page.ask(&format!("!{NOTICE}")), Some(true.into()), "a paused camera owes no pictures");
}

#[test]
fn a_page_whose_parts_were_replaced_asks_for_a_reload() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.goto(&format!("{}/#start", relay.url()));
    page.wait_for_element("consent");
    let index = page.ask("fetch('/').then(answer => answer.text())").expect("the page");
    let newer = index.as_str().expect("text").replace("\"mien-worker-", "\"mien-worker-f00d");
    // The worker that this page would load is gone, and the page's own address now returns a page that names another
    // one.
    page.answer("*/mien-worker-*_bg.wasm", 404, "application/problem+json", b"{}");
    page.answer(&format!("{}/session/*", relay.url()), 200, "text/html", newer.as_bytes());
    page.click("consent-allow");
    assert_eq!(stage::fault(&page), "outdated");
    let said = page.text_of("fault").unwrap_or_default();
    assert!(said.contains("newer version") && said.contains("Reload the page"), "{said}");
    assert!(!said.contains("Try again"), "{said}");
}

#[test]
fn a_page_whose_parts_are_missing_and_that_is_the_newest_is_incomplete() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.answer("*/mien-worker-*_bg.wasm", 404, "application/problem+json", b"{}");
    page.goto(&format!("{}/#start", relay.url()));
    page.click("consent-allow");
    assert_eq!(stage::fault(&page), "not-built");
}
