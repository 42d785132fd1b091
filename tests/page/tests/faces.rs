//! Faces one by one: left out and brought back, and why one is hard to judge.

use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, crop_imm, flip_horizontal, overlay, resize};
use image::{Rgb, RgbImage, open};
use mien_kit::parts;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::clip::{HEIGHT, WIDTH};
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_shared::{Face, Sample};

const GREY: Rgb<u8> = Rgb([118, 118, 118]);
/// Enough to show that something lasts.
const SAMPLES: u64 = 15;

/// A camera that films two faces side by side: a person, and a poster.
fn two_faces(folder: &Path) -> PathBuf {
    let portrait = open(parts::fixture("astronaut.png")).expect("the portrait").to_rgb8();
    let face = resize(&crop_imm(&portrait, 126, 24, 200, 200).to_image(), 280, 280, FilterType::Triangle);
    let mut frame = RgbImage::from_pixel(WIDTH, HEIGHT, GREY);
    overlay(&mut frame, &face, 20, 100);
    overlay(&mut frame, &flip_horizontal(&face), 340, 100);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 95).encode_image(&frame).expect("a JPEG");
    let file = folder.join("two.mjpeg");
    std::fs::write(&file, jpeg.repeat(30)).expect("room for the clip");
    file
}

fn is_left(face: &Face) -> bool {
    face.bounds.left + face.bounds.width / 2.0 < 0.5
}

fn wait_for_faces(page: &Page, in_view: u32, left_out: u32) {
    page.wait_for(
        &format!("{in_view} faces and {left_out} left out"),
        &format!(
            "document.querySelector('[data-testid=faces]')?.dataset.count === '{in_view}' &&
             document.querySelector('[data-testid=faces-set-aside]')?.dataset.count === '{left_out}'"
        ),
    );
}

/// The samples that are stored from now on.
fn next_samples(relay: &Relay, session: mien_shared::SessionId) -> Vec<Sample> {
    let before = relay.api().stored(session);
    relay.api().wait_for_samples(session, before + SAMPLES);
    let samples = relay.api().samples(session);
    // A frame that was analysed before may still have been on its way.
    samples.into_iter().skip(usize::try_from(before).expect("a count") + 3).collect()
}

#[test]
fn a_face_that_is_left_out_is_in_no_sample_until_it_is_brought_back() {
    let _stage = Stage::set();
    let folder = tempfile::tempdir().expect("a folder");
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Films(two_faces(folder.path())));
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    wait_for_faces(&page, 2, 0);
    let both = next_samples(&relay, session);
    let poster = both.last().and_then(|sample| sample.faces.iter().find(|face| !is_left(face)));
    let poster = poster.expect("the face on the right").id;

    // By keyboard: the face's own button takes Delete, and the focus goes to what undoes it.
    page.ask(&format!("document.querySelector('[data-testid=leave-out][data-face=\"{poster}\"]').previousElementSibling.focus()"));
    page.press("Delete");
    wait_for_faces(&page, 1, 1);
    assert_eq!(
        page.text_of("faces-set-aside").map(|text| text.replace('\u{a0}', " ")),
        Some("1 face left out".into())
    );
    for sample in next_samples(&relay, session) {
        let [face] = sample.faces.as_slice() else { panic!("one face: {:?}", sample.faces) };
        assert!(is_left(face), "{face:?}");
    }
    page.wait_for("the focus on what undoes it", "document.activeElement.dataset.testid === 'bring-back'");
    page.press(" ");
    wait_for_faces(&page, 2, 0);
    for sample in next_samples(&relay, session) {
        assert_eq!(sample.faces.len(), 2, "{:?}", sample.faces);
    }

    // With the mouse; and a pause changes nothing.
    page.ask(&format!("document.querySelector('[data-testid=leave-out][data-face=\"{poster}\"]').click()"));
    wait_for_faces(&page, 1, 1);
    page.click("pause");
    page.wait_for("the pause", "!!document.querySelector('.badge.paused')");
    page.click("pause");
    for sample in next_samples(&relay, session) {
        assert!(sample.faces.iter().all(is_left), "{:?}", sample.faces);
    }
    assert_eq!(browser.traffic().complaints, Vec::<String>::new());
}

#[test]
fn the_page_s_own_samples_say_how_pleasant_each_expression_is() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SAMPLES);
    let faces: Vec<Face> = browser.traffic().samples().into_iter().flat_map(|sample| sample.faces).collect();
    assert!(faces.len() > 5);
    for face in faces {
        let valence = face.valence.expect("a valence");
        assert!((valence - face.scores.valence()).abs() < 1e-3, "{face:?}");
    }
    let shown = page.attribute("valence", "data-value").and_then(|value| value.parse::<f32>().ok());
    assert!(shown.is_some_and(|valence| valence > 0.3), "the portrait smiles: {shown:?}");

    // As a line in the chart, and as numbers in the table.
    page.click("valence-line");
    page.wait_for("the line", "document.querySelector('.legend')?.innerText.includes('Valence')");
    page.ask("document.querySelector('.as-table').click()");
    page.wait_for(
        "numbers in the table",
        "[...document.querySelectorAll('.table-view td')].some(cell => /^\\+[01]\\.[0-9]{2}$/.test(cell.innerText))",
    );
    stage::stop_session(&page);
    page.wait_for("the chart of what was recorded", "!!document.querySelector('.card .plot')");
    page.reload();
    page.wait_for_element("done");
    page.wait_for("the chart after a reload", "!!document.querySelector('.card .plot')");
    page.wait_for(
        "the line is remembered",
        "document.querySelector('.legend').innerText.includes('Valence')",
    );
}

#[test]
fn a_face_that_is_hard_to_judge_has_its_reason_beside_it() {
    let _stage = Stage::set();
    let folder = tempfile::tempdir().expect("a folder");
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto(&format!("{}/demo", relay.url()));
    let portrait = open(parts::fixture("astronaut.png")).expect("the portrait").to_rgb8();
    for (name, picture, expected) in [
        (
            "small.png",
            on_grey(&resize(&portrait, 250, 250, FilterType::Triangle)),
            "Too small: come closer or zoom in",
        ),
        (
            "cut.png",
            crop_imm(&portrait, 0, 0, 244, 512).to_image(),
            "Cut off by the edge: move to the middle",
        ),
    ] {
        let file = folder.path().join(name);
        picture.save(&file).expect("a picture");
        page.choose_file(".notice [data-testid=open-file]", &file);
        page.wait_for(
            expected,
            &format!("document.querySelector('[data-testid=quality-hint]')?.innerText === {expected:?}"),
        );
        page.wait_for(
            "a screen reader to hear it",
            &format!("[...document.querySelectorAll('.quality [aria-live]')].some(one => one.textContent === {expected:?})"),
        );
    }
    page.choose_file(".notice [data-testid=open-file]", &parts::fixture("astronaut.png"));
    page.wait_for(
        "no reason any more",
        "document.querySelector('[data-testid=quality-hint]')?.innerText.endsWith('view of the face')",
    );
}

fn on_grey(picture: &RgbImage) -> RgbImage {
    let mut frame = RgbImage::from_pixel(WIDTH, HEIGHT, GREY);
    overlay(&mut frame, picture, 200, 120);
    frame
}
