//! More faces than fit into a sample: the page says so for as long as that lasts.

use std::path::{Path, PathBuf};

use image::imageops::{FilterType, crop_imm, replace, resize};
use image::{RgbImage, open};
use mien_kit::parts;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::relay::Relay;

const SIDE: u32 = 110;
/// In rows and columns.
const FACES: u32 = 7;

/// One portrait's face, 49 times.
fn crowd(folder: &Path) -> PathBuf {
    let portrait = open(parts::fixture("astronaut.png")).expect("the portrait").to_rgb8();
    let face = crop_imm(&portrait, 126, 24, 200, 200).to_image();
    let face = resize(&face, SIDE, SIDE, FilterType::Triangle);
    let mut crowd = RgbImage::new(FACES * SIDE, FACES * SIDE);
    for place in 0..FACES * FACES {
        replace(&mut crowd, &face, (place % FACES * SIDE).into(), (place / FACES * SIDE).into());
    }
    let file = folder.join("crowd.png");
    crowd.save(&file).expect("a picture");
    file
}

#[test]
fn the_page_says_how_many_faces_it_does_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto(&format!("{}/demo", relay.url()));
    page.choose_file("[data-testid=open-file]", &crowd(folder.path()));
    let left_out = "document.querySelector('[data-testid=faces-left-out]')?.innerText";
    let told = page.wait_for("the word of those left out", left_out);
    assert_eq!(
        told.as_str().map(|told| told.replace('\u{a0}', " ")),
        Some("17 more are in view, but not analysed".into())
    );
    assert_eq!(page.count("faces"), Some(32));

    page.choose_file("[data-testid=open-file]", &parts::fixture("astronaut.png"));
    page.wait_for("one face", "document.querySelector('[data-testid=faces]')?.dataset.count === '1'");
    assert_eq!(page.ask(left_out), Some(serde_json::Value::Null), "the word goes with what it was about");
}
