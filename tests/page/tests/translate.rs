//! A page that the browser translates keeps working: every change remains visible.

use mien_kit::parts;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::cable::Cable;
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};

/// The words of an element; translated ones are in «».
fn shown(testid: &str) -> String {
    format!("document.querySelector('[data-testid={testid}]')?.innerText.replace(/\\s+/g, ' ').trim()")
}

fn wait_for_shown(page: &Page, testid: &str, expected: &str) {
    page.wait_for(&format!("{testid} to be {expected}"), &format!("{} === {expected:?}", shown(testid)));
}

/// Waits until an element shows something different.
fn wait_for_change(page: &Page, testid: &str) {
    let now = page.wait_for(testid, &shown(testid));
    page.wait_for(&format!("{testid} to change from {now}"), &format!("{} !== {now}", shown(testid)));
}

fn assert_well(page: &Page, browser: &Browser) {
    page.assert_not_frozen();
    // The browser itself complains when the relay is away or refuses.
    let own = |line: &String| !line.contains("net::ERR_") && !line.contains("the server responded");
    let complaints: Vec<_> = browser.traffic().complaints.into_iter().filter(own).collect();
    assert_eq!(complaints, Vec::<String>::new());
}

#[test]
fn the_first_page_and_the_step_before_a_recording() {
    const BUTTON: &str = "document.querySelector('.preview .beside button')";
    let _stage = Stage::set();
    let mut relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.have_translator();
    page.goto(&relay.url());
    page.wait_for(
        "the demo",
        "(document.querySelector('[data-testid=preview-expression]')?.dataset.expression ?? 'none') !== 'none'",
    );
    page.translate();
    page.wait_for("the button", &format!("{BUTTON}.innerText === '«Pause»'"));
    page.ask(&format!("{BUTTON}.click()"));
    page.wait_for("its other words", &format!("{BUTTON}.innerText === '«Resume»'"));
    page.wait_for_text("«Paused»");
    page.ask(&format!("{BUTTON}.click()"));
    page.wait_for("its first words", &format!("{BUTTON}.innerText === '«Pause»'"));
    page.wait_for_no_text("«Paused»");

    page.click("start-session");
    page.wait_for_text("«Before the camera opens»");
    relay.kill();
    page.click("consent-allow");
    page.wait_for_element("start-failed");
    wait_for_shown(&page, "consent-allow", "«Allow the camera»");
    page.wait_for_text("«The relay cannot be reached.");
    relay.restart();
    page.click("consent-allow");
    assert_eq!(stage::fault(&page), "absent");
    page.wait_for_text("«There is no camera»");
    page.wait_for_no_text("«Before the camera opens»");
    assert_well(&page, &browser);
}

#[test]
fn a_recording_from_its_pause_to_its_end() {
    let stage = Stage::set();
    let mut relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.have_translator();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 5);
    page.translate();
    wait_for_shown(&page, "link-state", "«Live»");
    wait_for_change(&page, "bytes-sent");

    page.click("pause");
    page.wait_for("the button", &format!("{}.startsWith('«Resume»')", shown("pause")));
    wait_for_shown(&page, "link-state", "«Paused»");
    page.wait_for_element("stage");
    page.wait_for("the badge", "document.querySelector('.badge.paused')?.innerText === '«Paused»'");
    page.click("pause");
    page.wait_for("the button", &format!("{}.startsWith('«Pause»')", shown("pause")));
    page.wait_for("no badge", "!document.querySelector('.badge.paused')");
    wait_for_shown(&page, "link-state", "«Live»");

    relay.kill();
    page.wait_for("the link", &format!("{}.startsWith('«Offline» «·»')", shown("link-state")));
    page.wait_for("what waits", &format!("/[0-9] ?«samples»/.test({})", shown("link-state")));
    wait_for_change(&page, "link-state");
    wait_for_change(&page, "pending");
    relay.restart();
    wait_for_shown(&page, "link-state", "«Live»");

    page.click("mark");
    page.click("marker-save");
    page.click("mark");
    page.wait_for("it in the list", &format!("{}?.includes('Marker 1')", shown("markers")));
    page.click("marker-delete");
    page.wait_for("it to go", "!document.querySelector('[data-testid=markers]').offsetParent");
    page.press("Escape");
    page.ask("document.querySelector('.plot').focus()");
    page.press("ArrowLeft");
    page.wait_for("a reading", "/[0-9]/.test(document.querySelector('.readout').innerText)");
    page.press("Escape");
    page.wait_for(
        "the hint",
        "document.querySelector('.readout').innerText.startsWith('«Point at the chart')",
    );

    page.click("stop");
    page.wait_for_text("«Stop this recording?»");
    page.click("stop-confirm");
    page.wait_for_text("«Recorded and stored»");
    page.wait_for("the count", &format!("Number({}.replace(/\\s/g, '')) > 5", shown("stored")));
    page.click("export-csv");
    page.wait_for("the export", &format!("{}?.startsWith('«Saved» mien-')", shown("done-said")));
    page.click("erase");
    page.wait_for_text("«This erases every sample of it, for good.»");
    page.click("erase-confirm");
    assert_eq!(stage::fault(&page), "erased");
    page.wait_for_text("«This session was erased»");
    page.wait_for_no_text("«Recorded and stored»");
    assert_well(&page, &browser);
}

#[test]
fn a_trial_of_the_demo_and_of_a_file() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.have_translator();
    page.goto(&format!("{}/demo", relay.url()));
    page.wait_for_text("Loading the analysis");
    page.translate();
    page.wait_for("a face", "Number(document.querySelector('[data-testid=faces]')?.dataset.count) > 0");
    page.wait_for_no_text("«Loading the analysis");
    page.click("pause");
    page.wait_for("the button", &format!("{}.startsWith('«Resume»')", shown("pause")));
    page.click("pause");
    page.wait_for("the button", &format!("{}.startsWith('«Pause»')", shown("pause")));
    page.wait_for_text("«A clip with known faces");
    page.choose_file(".notice [data-testid=open-file]", &parts::fixture("astronaut.png"));
    page.wait_for_text("«The file has finished.");
    page.wait_for_no_text("«A clip with known faces");
    page.wait_for("its name", "document.querySelector('h1').innerText === 'astronaut.png'");
    page.wait_for(
        "its table",
        "document.querySelector('.as-table').click() ?? document.querySelector('table')",
    );
    page.choose_file(".notice [data-testid=open-file]", &parts::fixture("sound.webm"));
    assert_eq!(stage::fault(&page), "video-empty");
    page.wait_for_text("«The video has no picture»");
    assert_well(&page, &browser);
}

#[test]
fn a_watcher_s_view() {
    let stage = Stage::set();
    let relay = Relay::start();
    let recorder = stage.browser();
    let page = recorder.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 5);
    let cable = Cable::to(relay.address());
    let link = stage::share_link(&page).replace(&relay.url(), &cable.url());

    let watcher = Browser::start(&Camera::Absent);
    let screen = watcher.page();
    screen.have_translator();
    screen.goto(&link);
    screen.wait_for_element("watch");
    screen.translate();
    screen.wait_for(
        "the expression",
        "document.querySelector('[data-testid=watch-expression]')?.dataset.expression !== 'none'",
    );
    for value in ["watch-count", "watch-lastseq"] {
        wait_for_change(&screen, value);
    }
    let live = screen.wait_for("the link", &shown("link-state"));
    cable.pull();
    screen.wait_for_element("watch-offline");
    screen.wait_for("other words", &format!("{} !== {live}", shown("link-state")));
    cable.plug();
    screen.wait_for("the line to be back", "!document.querySelector('[data-testid=watch-offline]')");
    wait_for_change(&screen, "watch-lastseq");
    stage::stop_session(&page);
    screen.wait_for_element("watch-over");
    screen.wait_for("other words", &format!("{} !== {live}", shown("link-state")));
    assert_well(&screen, &watcher);
}

#[test]
fn what_waits_of_an_earlier_recording() {
    let stage = Stage::set();
    let mut relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.have_translator();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 5);
    page.translate();
    relay.kill();
    page.wait_for("a backlog", "document.querySelector('[data-testid=pending]')?.dataset.count > 5");
    page.ask("document.querySelector('.top .brand').click()");
    page.wait_for_element("unfinished");
    page.wait_for_text("«samples are»");
    page.wait_for_text("«Send them now»");
    page.wait_for_no_text("«It seems to be running in another tab.»");
    relay.restart();
    page.ask("[...document.querySelectorAll('.unfinished button')].find(one => one.innerText === '«Send them now»').click()");
    page.wait_for_text("«Everything is stored.»");
    page.wait_for_no_text("«samples are»");
    assert_well(&page, &browser);
}
