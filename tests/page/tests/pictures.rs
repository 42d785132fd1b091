//! Every kind of picture file that a person may open: read, or refused with the reason. Nothing hangs, and the next file
//! is read.

use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Frame, GrayImage, ImageEncoder as _, RgbImage, RgbaImage, imageops};
use mien_kit::parts;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};

/// EXIF with one entry: turn by 90° clockwise.
const ORIENTATION_6: [u8; 26] = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

struct Scene {
    browser: Browser,
    relay: Relay,
    folder: tempfile::TempDir,
    _stage: Stage,
}

impl Scene {
    fn set() -> Self {
        let stage = Stage::set();
        Self {
            browser: Browser::start(&Camera::Absent),
            relay: Relay::start(),
            folder: tempfile::tempdir().expect("a folder"),
            _stage: stage,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, file: &Path) -> Page {
        let page = self.browser.page();
        page.goto(&format!("{}/demo", self.relay.url()));
        page.choose_file("[data-testid=open-file]", file);
        page
    }

    #[track_caller]
    fn has_faces(&self, file: &Path, count: u32) {
        let page = self.open(file);
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        page.wait_for(name, &format!("document.querySelector('h1')?.innerText === {name:?}"));
        let faces = format!("document.querySelector('[data-testid=faces]')?.dataset.count === '{count}'");
        page.wait_for(&format!("{count} faces in {name}"), &faces);
        page.close();
    }

    #[track_caller]
    fn is_refused(&self, file: &Path, fault: &str) {
        let page = self.open(file);
        assert_eq!(stage::fault(&page), fault, "{}", file.display());
        page.close();
    }
}

#[test]
fn pictures_of_every_depth_and_animated_ones_are_read() {
    let scene = Scene::set();
    let astronaut = image::open(parts::fixture("astronaut.png")).expect("a fixture");
    let astronaut = astronaut.resize(256, 256, imageops::FilterType::Triangle);
    let mut files = Vec::new();
    for (name, picture) in [
        ("16.png", DynamicImage::ImageRgb16(astronaut.to_rgb16())),
        ("alpha-16.png", DynamicImage::ImageRgba16(astronaut.to_rgba16())),
        ("grey.png", DynamicImage::ImageLuma8(astronaut.to_luma8())),
        ("grey.jpg", DynamicImage::ImageLuma8(astronaut.to_luma8())),
    ] {
        picture.save(scene.file(name)).expect(name);
        files.push(scene.file(name));
    }
    let gif = scene.file("moving.gif");
    let mut animated = GifEncoder::new(fs::File::create(&gif).expect("a file"));
    animated
        .encode_frames([astronaut.to_rgba8(), RgbaImage::new(256, 256)].map(Frame::new))
        .expect("a picture");
    drop(animated);
    // A camera held on its side.
    let held = scene.file("held.jpg");
    let mut out = fs::File::create(&held).expect("a file");
    let mut encoder = JpegEncoder::new_with_quality(&mut out, 95);
    encoder.set_exif_metadata(ORIENTATION_6.to_vec()).expect("JPEG carries EXIF");
    encoder.encode_image(&imageops::rotate270(&astronaut.to_rgb8())).expect("a picture");
    files.extend([gif, held]);
    let data = parts::root().join("models/tests/data");
    for name in
        ["astronaut_cmyk.jpg", "astronaut_palette.png", "astronaut_moving.png", "astronaut_moving.webp"]
    {
        files.push(data.join(name));
    }
    for file in &files {
        scene.has_faces(file, 1);
    }
}

#[test]
fn pictures_of_odd_sizes_and_broken_ones_get_an_answer() {
    let scene = Scene::set();
    for (name, width, height) in [("one.png", 1, 1), ("tall.png", 1, 5_000), ("wide.png", 5_000, 1)] {
        RgbImage::from_pixel(width, height, image::Rgb([90; 3])).save(scene.file(name)).expect(name);
        scene.has_faces(&scene.file(name), 0);
    }
    let large = scene.file("large.png");
    GrayImage::new(12_000, 9_000).save(&large).expect("a picture");
    scene.is_refused(&large, "picture-too-large");
    let png = fs::read(parts::fixture("astronaut.png")).expect("a fixture");
    let without_pixels = scene.file("header.png");
    fs::write(&without_pixels, &png[..60]).expect("a file");
    scene.is_refused(&without_pixels, "picture-unreadable");
    let empty = scene.file("empty.png");
    fs::write(&empty, b"").expect("a file");
    scene.is_refused(&empty, "picture-unreadable");
    scene.has_faces(&parts::fixture("astronaut.png"), 1);
}
