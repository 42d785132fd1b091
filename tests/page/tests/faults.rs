//! Every failure has its own plain message and a way forward; nothing hangs.

use std::path::Path;

use image::{GrayImage, Luma};
use mien_kit::parts;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use tempfile::TempDir;

struct Scene {
    relay: Relay,
    browser: Browser,
    folder: TempDir,
    _stage: Stage,
}

impl Scene {
    fn with(camera: &Camera) -> Self {
        let stage = Stage::set();
        let relay = Relay::start();
        Self {
            browser: Browser::start(camera),
            relay,
            folder: tempfile::tempdir().expect("a folder"),
            _stage: stage,
        }
    }

    fn page(&self) -> Page {
        let page = self.browser.page();
        page.goto(&self.relay.url());
        page
    }

    /// The page's reaction to a file that is opened on its first view.
    fn fault_of_file(&self, name: &str, write: impl FnOnce(&Path)) -> (String, String) {
        let file = self.folder.path().join(name);
        write(&file);
        let page = self.page();
        page.choose_file("[data-testid=open-file]", &file);
        (stage::fault(&page), page.text_of("fault").unwrap_or_default())
    }
}

#[test]
fn a_camera_that_is_denied_is_told() {
    let scene = Scene::with(&Camera::Denied);
    let page = scene.page();
    page.click("start-session");
    page.click("consent-allow");
    assert_eq!(stage::fault(&page), "denied");
}

#[test]
fn a_camera_that_is_absent_is_told_and_the_demo_offered() {
    let scene = Scene::with(&Camera::Absent);
    let page = scene.page();
    page.click("start-session");
    page.click("consent-allow");
    assert_eq!(stage::fault(&page), "absent");
    assert!(page.text_of("fault").is_some_and(|text| text.contains("demo")));
}

#[test]
fn each_damaged_model_is_named() {
    let scene = Scene::with(&Camera::Absent);
    for (file, name) in [
        ("mediapipe_face_detection_short_range.onnx", "near-face detector"),
        ("human_blazeface_256.onnx", "far-face detector"),
        ("faceapi_expression_112.onnx", "expression model"),
    ] {
        let mut bytes = std::fs::read(parts::root().join("models/weights").join(file)).expect("the model");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let page = scene.browser.page();
        let stem = file.trim_end_matches(".onnx");
        page.forge(&format!("*{stem}*"), &bytes);
        page.goto(&format!("{}/demo", scene.relay.url()));
        assert_eq!(stage::fault(&page), "model", "{file}");
        let text = page.text_of("fault").unwrap_or_default();
        assert!(text.contains(name) && text.contains("damaged"), "{file}: {text}");
        page.close();
    }
}

#[test]
fn a_picture_that_cannot_be_read_is_told() {
    let scene = Scene::with(&Camera::Absent);
    let noise: Vec<u8> =
        (0..40_000u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (fault, _) = scene.fault_of_file("noise.png", |file| std::fs::write(file, noise).expect("room"));
    assert_eq!(fault, "picture-unreadable");
}

#[test]
fn a_picture_that_is_too_large_is_told() {
    let scene = Scene::with(&Camera::Absent);
    let (fault, text) = scene.fault_of_file("large.png", |file| {
        GrayImage::from_pixel(12_000, 12_000, Luma([128])).save(file).expect("room");
    });
    assert_eq!(fault, "picture-too-large", "{text}");
    assert!(text.contains("12000") || text.contains("12 000") || text.contains("12,000"), "{text}");
}

#[test]
fn a_video_without_a_picture_is_told() {
    let scene = Scene::with(&Camera::Absent);
    let (fault, _) = scene.fault_of_file("sound.webm", |file| {
        std::fs::copy(parts::fixture("sound.webm"), file).expect("room");
    });
    assert_eq!(fault, "video-empty");
}

#[test]
fn a_video_that_cannot_be_played_is_told() {
    let scene = Scene::with(&Camera::Absent);
    let (fault, _) =
        scene.fault_of_file("broken.webm", |file| std::fs::write(file, b"no video").expect("room"));
    assert_eq!(fault, "video-unreadable");
}
