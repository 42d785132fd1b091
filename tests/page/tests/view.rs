//! The live view for everyone: its keys, its colours, and windows of any size.

use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};

const PAUSED: &str = "!!document.querySelector('.badge.paused')";
const STRIP: &str = "!!document.querySelector('.strip')";

fn demo(browser: &Browser, relay: &Relay) -> Page {
    let page = browser.page();
    page.goto(&format!("{}/demo", relay.url()));
    page.wait_for("a face", "Number(document.querySelector('[data-testid=faces]')?.dataset.count) > 0");
    page
}

#[test]
fn space_pauses_after_a_click_and_presses_the_button_that_tab_has_reached() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 3);
    page.click("mark");
    page.click("marker-save");
    page.wait_for("the focus to return", "document.activeElement.dataset.testid === 'mark'");
    page.press(" ");
    page.wait_for("the pause", PAUSED);
    assert_eq!(page.ask(STRIP), Some(false.into()), "the button was not pressed again");
    page.click("share");
    page.wait_for("the strip", STRIP);
    // The link is selected; nothing can be typed into it.
    page.press(" ");
    page.wait_for("it to go on", &format!("!{PAUSED}"));
    assert_eq!(page.ask(STRIP), Some(true.into()));
    page.press("Escape");

    page.press("Tab");
    page.ask("document.querySelector('[data-testid=mark]').focus()");
    page.press(" ");
    page.wait_for("the strip", STRIP);
    assert_eq!(page.ask(PAUSED), Some(false.into()));
}

#[test]
fn stop_comes_last_and_asks_before_a_recording_ends() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 3);
    let order = page.ask(
        "[...document.querySelectorAll('main button, main a, main select, main [tabindex=\"0\"]')]
            .filter(one => one.checkVisibility()).map(one => one.dataset.testid ?? '')",
    );
    let order = order.and_then(|order| order.as_array().cloned()).expect("what Tab reaches");
    assert_eq!(order.last(), Some(&"stop".into()), "{order:?}");

    page.click("stop");
    page.wait_for("the question", "document.querySelector('[data-testid=stop-dialog]').open");
    let before = relay.api().stored(session);
    relay.api().wait_for_samples(session, before + 3);
    page.press("Escape");
    page.wait_for("it to close", "!document.querySelector('[data-testid=stop-dialog]').open");
    let before = relay.api().stored(session);
    relay.api().wait_for_samples(session, before + 3);
    stage::stop_session(&page);

    // Where nothing is recorded there is nothing to ask.
    let page = demo(&browser, &relay);
    page.click("stop");
    page.wait_for_element("try-demo");
}

#[test]
fn bars_and_swatches_keep_their_colours_where_the_system_chooses_the_others() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = demo(&browser, &relay);
    page.prefer("forced-colors", "active");
    page.wait_for("the colours", "matchMedia('(forced-colors: active)').matches");
    for (selector, expected) in [
        (".bars [data-tone=happiness] .track i", "rgb(230, 159, 0)"),
        (".legend [data-tone=sadness]", "rgb(0, 114, 178)"),
        (".legend [data-tone=anger]", "rgb(213, 94, 0)"),
    ] {
        let found =
            page.ask(&format!("getComputedStyle(document.querySelector('{selector}')).backgroundColor"));
        assert_eq!(found, Some(expected.into()), "{selector}");
    }
}

#[test]
fn the_chart_takes_the_colours_of_another_scheme_at_once() {
    const DRAWN: &str = "document.querySelector('[data-testid=timeline]').toDataURL()";
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = demo(&browser, &relay);
    page.prefer("prefers-color-scheme", "light");
    page.click("pause");
    page.wait_for("the pause", PAUSED);
    // The last frame may still come.
    page.ask("new Promise(done => setTimeout(done, 1000))");
    page.ask(&format!("globalThis.before = {DRAWN}"));
    assert_eq!(page.ask(&format!("before === {DRAWN}")), Some(true.into()), "nothing is drawn any more");
    page.prefer("prefers-color-scheme", "dark");
    page.wait_for("other colours", &format!("before !== {DRAWN}"));
}

#[test]
fn a_reading_is_said_once_and_not_again_as_it_grows_older() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = demo(&browser, &relay);
    page.ask("document.querySelector('.plot').focus()");
    page.press("ArrowLeft");
    page.wait_for("the reading", "/[0-9]\\ss ago/.test(document.querySelector('.readout').innerText)");
    let said = page.ask(
        "new Promise(done => {
            let said = 0;
            const live = '[aria-live], output, [role=status], [role=alert]';
            for (const one of document.querySelectorAll('.timeline :is(' + live + ')'))
                new MutationObserver(() => said += 1).observe(one, { childList: true, characterData: true, subtree: true });
            setTimeout(() => done(said), 3000);
        })",
    );
    assert_eq!(said, Some(0.into()));
    page.press("ArrowLeft");
    page.wait_for(
        "the next to be said",
        "/[0-9]\\ss ago: /.test(document.querySelector('.timeline [aria-live]').textContent)",
    );
}

#[test]
fn quality_and_faces_fit_into_the_panel() {
    const CUT: &str = "(panel => panel.scrollHeight - panel.clientHeight)(document.querySelector('.panel'))";
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let demo = demo(&browser, &relay);
    demo.look(1280, 800, "light");
    assert_eq!(demo.ask(CUT), Some(0.into()), "the demo, below its notice");
    demo.close();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 3);
    for (width, height) in [(1280, 800), (1280, 900), (1440, 900), (1920, 1080), (390, 844)] {
        page.look(width, height, "light");
        assert_eq!(page.ask(CUT), Some(0.into()), "{width} × {height}");
    }
    // What scrolls can be scrolled by keyboard.
    page.look(1280, 600, "light");
    assert_eq!(page.ask("document.querySelector('.panel').tabIndex"), Some(0.into()));
}
