//! The own neutral face, as a person takes it: before a recording, during one, and in the demo.

use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::clip;
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_shared::Sample;
use serde_json::Value;

const OWN: &str = "document.querySelector('[data-testid=neutral-own]')?.dataset.count";
/// What a screen reader is told, each change once.
const LISTEN: &str = "
    globalThis.heard = [];
    const region = document.querySelector('[data-testid=neutral-spoken]');
    new MutationObserver(() => heard.push([region.textContent, performance.now()]))
        .observe(region, { childList: true, characterData: true, subtree: true });
";

fn step(page: &Page, state: &str) {
    page.wait_for(
        &format!("the step to be {state}"),
        &format!("document.querySelector('[data-testid=neutral]')?.dataset.state === {state:?}"),
    );
}

fn focused(page: &Page) -> Option<Value> {
    page.ask("document.activeElement?.dataset.testid ?? null")
}

fn look_at_camera(stage: &Stage) -> Browser {
    Browser::start(&Camera::Films(clip::relaxed(stage.folder())))
}

/// Of the faces in everything that was sent, how many looks each neutral face has.
fn sent(browser: &Browser) -> Vec<Option<u32>> {
    let traffic = browser.traffic();
    let messages = traffic.messages.iter().filter_map(|text| serde_json::from_str::<Value>(text).ok());
    messages
        .filter_map(|message| serde_json::from_value::<Vec<Sample>>(message.get("samples")?.clone()).ok())
        .flatten()
        .flat_map(|sample| sample.faces)
        .map(|face| face.neutral)
        .collect()
}

#[test]
fn a_recording_begins_once_the_neutral_face_is_taken_and_every_face_is_compared_with_it() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = look_at_camera(&stage);
    let page = browser.page();
    page.goto(&relay.url());
    page.click("start-session");
    page.click("neutral-first");
    page.click("consent-allow");
    let session = stage::live_session(&page);
    step(&page, "taking");
    page.wait_for_text("Look at the camera, face relaxed");
    page.wait_for("the tab's name", "document.title.startsWith('Before the recording · ')");
    assert_eq!(relay.api().stored(session), 0, "the recording waits");
    page.press("Escape");
    step(&page, "taking");
    page.wait_for("what it was made of", OWN);
    page.wait_for("the strip to close", "!document.querySelector('[data-testid=neutral]')");
    page.wait_for("the tab's name", "document.title.startsWith('Recording · ')");
    let looks = page.wait_for("the looks", OWN);
    relay.api().wait_for_samples(session, 5);
    stage::stop_session(&page);
    let looks: u32 = looks.as_str().and_then(|looks| looks.parse().ok()).expect("a count");
    let sent = sent(&browser);
    assert!(sent.len() >= 5 && sent.iter().all(|own| *own == Some(looks)), "{looks}: {sent:?}");
    assert_eq!(browser.traffic().complaints, Vec::<String>::new());
}

#[test]
fn the_neutral_face_before_a_recording_can_be_skipped_and_is_not_asked_for_again() {
    let stage = Stage::set();
    let relay = Relay::start();
    // A broad smile, which never counts.
    let browser = stage.browser();
    let page = browser.page();
    page.goto(&relay.url());
    page.click("start-session");
    page.click("neutral-first");
    page.click("consent-allow");
    let session = stage::live_session(&page);
    page.wait_for_text("Relax your face");
    assert_eq!(relay.api().stored(session), 0, "the recording waits");
    page.reload();
    page.wait_for_text("Relax your face");
    assert_eq!(relay.api().stored(session), 0, "after a reload as well");
    page.click("neutral-close");
    relay.api().wait_for_samples(session, 5);
    page.wait_for("the strip to close", "!document.querySelector('[data-testid=neutral]')");
    page.reload();
    let stored = relay.api().stored(session);
    relay.api().wait_for_samples(session, stored + 5);
    stage::stop_session(&page);
    assert!(sent(&browser).iter().all(Option::is_none));

    // The choice is remembered for the next recording on this device.
    page.goto(&relay.url());
    page.click("start-session");
    page.wait_for_element("neutral-first");
    assert_eq!(page.ask("document.querySelector('[data-testid=neutral-first]').checked"), Some(true.into()));
}

#[test]
fn the_demo_takes_the_neutral_face_by_keyboard_says_so_and_forgets_it_on_demand() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto(&relay.url());
    page.click("try-demo");
    page.wait_for("a face", "Number(document.querySelector('[data-testid=faces]')?.dataset.count) > 0");
    page.ask(LISTEN);
    page.press("n");
    step(&page, "idle");
    page.wait_for("the focus", "document.activeElement?.dataset.testid === 'neutral-take'");
    page.ask("document.activeElement.click()");
    step(&page, "taking");
    page.ask("document.activeElement.click()");
    step(&page, "idle");
    assert_eq!(focused(&page), Some("neutral-take".into()), "the button that cancels is the one that begins");

    page.ask("document.activeElement.click()");
    step(&page, "taken");
    assert_eq!(focused(&page), Some("neutral-take".into()), "the focus stays");
    page.wait_for_text("Compared with own neutral face");
    page.wait_for("what the face is compared with", &format!("Number({OWN}) >= 8"));

    let heard = page.ask("heard").expect("what was heard");
    let heard: Vec<(String, f64)> = serde_json::from_value(heard).expect("words and times");
    let said: Vec<&str> =
        heard.iter().map(|(words, _)| words.as_str()).filter(|words| !words.is_empty()).collect();
    assert_eq!(said.first(), Some(&"Look at the camera, face relaxed"));
    assert!(said.last().is_some_and(|last| last.starts_with("Compared with own neutral face")), "{said:?}");
    let advice = |words: &str| ["Good, keep looking", "Relax your face", "Hold still"].contains(&words);
    let times: Vec<f64> = heard.iter().filter(|(words, _)| advice(words)).map(|(_, at)| *at).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 2_900.0), "too often: {heard:?}");

    page.click("neutral-reset");
    step(&page, "idle");
    page.wait_for("no comparison", &format!("!{OWN}"));
    page.press("Escape");
    page.wait_for("the strip to close", "!document.querySelector('[data-testid=neutral]')");
    assert_eq!(browser.traffic().bodies, Vec::<usize>::new(), "the demo sends nothing");
    assert_eq!(browser.traffic().complaints, Vec::<String>::new());
}
