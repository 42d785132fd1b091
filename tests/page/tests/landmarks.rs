//! Landmarks: nothing of them before they are asked for, all of them afterwards.

use mien_kit::parts;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_shared::limits::MAX_FACES;

const SAMPLES: u64 = 10;
const FILES: [&str; 2] = ["mediapipe_face_landmarks", "mediapipe_face_blendshapes"];

fn requested(browser: &Browser) -> Vec<String> {
    let urls = browser.traffic().urls;
    urls.into_iter().filter(|url| FILES.iter().any(|file| url.contains(file))).collect()
}

fn switch_is(page: &Page, state: &str) {
    page.wait_for(
        &format!("landmarks that are {state}"),
        &format!("document.querySelector('[data-testid=landmarks]')?.dataset.state === {state:?}"),
    );
}

#[test]
fn they_are_fetched_once_asked_for_and_are_in_every_sample_until_switched_off() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SAMPLES);
    switch_is(&page, "off");
    assert_eq!(requested(&browser), [] as [String; 0], "nothing of it while it is off");
    assert!(
        page.text_of("landmarks").is_some_and(|text| text.contains("6.8\u{a0}MB")),
        "its size is said before"
    );
    assert!(
        browser
            .traffic()
            .samples()
            .iter()
            .all(|sample| sample.faces.iter().all(|face| face.landmarks.is_none()))
    );

    page.click("landmarks-switch");
    switch_is(&page, "on");
    page.wait_for("a head", "/°|ahead/.test(document.querySelector('[data-testid=head]')?.innerText)");
    assert_eq!(page.text_of("eyes").as_deref(), Some("Eyes open"));
    assert_eq!(requested(&browser).len(), 2, "each file once: {:?}", requested(&browser));
    let before = browser.traffic().samples().len();
    mien_page_tests::wait::until("samples with landmarks", || {
        let samples = browser.traffic().samples();
        let told = samples[before..]
            .iter()
            .flat_map(|sample| &sample.faces)
            .filter_map(|face| face.landmarks.as_deref());
        let told: Vec<_> = told.cloned().collect();
        (told.len() >= 10).then_some(told)
    })
    .iter()
    .for_each(|landmarks| {
        assert!(landmarks.yaw.is_some_and(|yaw| yaw.abs() < 40.0), "{landmarks:?}");
        assert_eq!(landmarks.coefficients.named().count(), 52);
    });
    // The lines on the overlay are for the screen alone.
    for message in browser.traffic().messages {
        assert!(!message.contains("outline"), "{message}");
    }

    page.reload();
    stage::live_session(&page);
    switch_is(&page, "on");
    page.click("landmarks-switch");
    switch_is(&page, "off");
    let off = browser.traffic().samples().last().map_or(0, |sample| sample.seq);
    let later = mien_page_tests::wait::until("samples without landmarks", || {
        let samples = browser.traffic().samples();
        // One frame may have been with a worker, and what it measured is held for a moment.
        let later: Vec<_> = samples.into_iter().filter(|sample| sample.seq > off + 15).collect();
        (later.len() >= 5).then_some(later)
    });
    assert!(later.iter().all(|sample| sample.faces.len() <= MAX_FACES));
    assert!(later.iter().flat_map(|sample| &sample.faces).all(|face| face.landmarks.is_none()));
    page.reload();
    stage::live_session(&page);
    switch_is(&page, "off");
}

#[test]
fn a_damaged_download_is_told_the_analysis_goes_on_and_it_can_be_tried_again() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    let file = "mediapipe_face_blendshapes";
    let mut bytes =
        std::fs::read(parts::root().join(format!("models/weights/{file}.onnx"))).expect("the model");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    page.forge(&format!("*{file}*"), &bytes);
    page.goto(&format!("{}/demo", relay.url()));
    page.click("landmarks-switch");
    page.wait_for_element("landmarks-fault");
    let text = page.text_of("landmarks-fault").unwrap_or_default();
    assert!(text.contains("blendshape model") && text.contains("damaged"), "{text}");
    page.wait_for(
        "an expression",
        "(document.querySelector('[data-testid=expression]')?.dataset.expression ?? 'none') !== 'none'",
    );
    page.forge_nothing();
    page.click("landmarks-retry");
    switch_is(&page, "on");
    page.wait_for("a head", "/°|ahead/.test(document.querySelector('[data-testid=head]')?.innerText)");
}
