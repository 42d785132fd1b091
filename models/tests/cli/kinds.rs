//! Pictures of every kind and depth, and files that are not pictures.

use std::fs;
use std::path::Path;

use mien_shared::Expression;

use crate::command::{AVIF, HEIC, assert_tells, encoded, fixtures, names, reports, run, scratch};

#[test]
fn a_picture_is_turned_as_its_camera_says() {
    let upright = image::open(fixtures().join("astronaut.png")).expect("a fixture").into_rgb8();
    // A camera held on its side: orientation 6 says to turn by 90° clockwise, so the file holds the reverse.
    let held = image::imageops::rotate270(&upright);
    let file = scratch("turned").join("held.jpg");
    let mut out = fs::File::create(&file).expect("a file");
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 95);
    image::ImageEncoder::set_exif_metadata(&mut encoder, ORIENTATION_6.to_vec()).expect("JPEG carries EXIF");
    encoder.encode_image(&held).expect("a picture");
    let output = run(&[], &[&fixtures().join("astronaut.png"), &file]);
    let [expected, turned] = &reports(&output)[..] else { panic!("two lines: {output:?}") };
    let ([expected], [turned]) = (&expected.faces[..], &turned.faces[..]) else { panic!("a face each") };
    assert_eq!(turned.expression, expected.expression);
    let (turned, expected) = (<[f32; 4]>::from(turned.bounds), <[f32; 4]>::from(expected.bounds));
    for (turned, expected) in turned.into_iter().zip(expected) {
        assert!((turned - expected).abs() < 0.02, "{turned} is not {expected}");
    }
}

/// EXIF with one entry: tag 0x0112, a short, 6.
const ORIENTATION_6: [u8; 26] = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_done() {
    let folder = scratch("unreadable");
    fs::write(folder.join("a_text.png"), "this is no picture").expect("a file");
    let png = fs::read(fixtures().join("astronaut.png")).expect("a fixture");
    fs::write(folder.join("b_cut.png"), &png[..5000]).expect("a file");
    fs::write(folder.join("c_huge.png"), claimed(60_000, 60_000)).expect("a file");
    fs::write(folder.join("d_readme.txt"), "not a picture, not looked at").expect("a file");
    fs::write(folder.join("e_good.png"), &png).expect("a file");
    let output = run(&[], &[&folder, &folder.join("missing.png")]);
    assert_eq!(output.status.code(), Some(1));
    let reports = reports(&output);
    assert_eq!(reports.len(), 1);
    assert!(reports[0].file.ends_with("e_good.png"));
    assert_tells(
        &output,
        &[
            "left out 1 file that is no picture: FOLDER/d_readme.txt",
            "FOLDER/a_text.png: is not a picture of a kind that is known",
            "FOLDER/b_cut.png: is damaged",
            "FOLDER/c_huge.png: is too large: 60000×60000",
            "FOLDER/missing.png: cannot be opened",
        ],
        &folder,
    );
}

#[test]
fn a_named_file_says_whether_it_is_damaged_not_supported_or_empty() {
    let folder = scratch("named");
    let mut cut = encoded(image::ImageFormat::Jpeg);
    cut.truncate(200);
    let files = [
        ("a.heic", HEIC, "is not supported: a picture of kind HEIC"),
        ("b.jpg", AVIF, "is not supported: a picture of kind AVIF"),
        ("c.jpg", &cut, "is damaged"),
        ("d.jpg", b"", "is empty"),
        ("e.tga", b"\0\0\x02\0\0\0\0\0", "is not supported: a picture of kind TGA"),
        ("f.csv", b"a,b\n", "is not a picture of a kind that is known"),
    ];
    for (name, bytes, why) in files {
        let file = folder.join(name);
        fs::write(&file, bytes).expect("a file");
        let output = run(&[], &[&file]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert_tells(&output, &[&format!("FOLDER/{name}: {why}")], &folder);
    }
}

/// A PNG that claims a size and contains nothing.
fn claimed(width: u32, height: u32) -> Vec<u8> {
    let mut small = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(1, 1).write_to(&mut small, image::ImageFormat::Png).expect("a picture");
    let mut png = small.into_inner();
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = checksum(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    png
}

/// CRC-32 as PNG requires it.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// The astronaut in every format that can encode it.
#[test]
fn sixteen_bits_grey_palette_alpha_and_animation_are_read() {
    use image::DynamicImage;
    use image::codecs::gif::GifEncoder;
    let folder = scratch("depths");
    let astronaut = image::open(fixtures().join("astronaut.png")).expect("a fixture");
    let astronaut = astronaut.resize(256, 256, image::imageops::FilterType::Triangle);
    let files: [(&str, DynamicImage); 5] = [
        ("a_16.png", DynamicImage::ImageRgb16(astronaut.to_rgb16())),
        ("b_16_alpha.png", DynamicImage::ImageRgba16(astronaut.to_rgba16())),
        ("c_grey.png", DynamicImage::ImageLuma8(astronaut.to_luma8())),
        ("d_grey_16.png", DynamicImage::ImageLuma16(astronaut.to_luma16())),
        ("e_alpha.png", DynamicImage::ImageRgba8(astronaut.to_rgba8())),
    ];
    for (name, picture) in files {
        picture.save(folder.join(name)).expect(name);
    }
    // A palette of 256 colours, and a second frame without anybody: the first one counts.
    let mut animated = GifEncoder::new(fs::File::create(folder.join("f_moving.gif")).expect("a file"));
    let frames = [astronaut.to_rgba8(), image::RgbaImage::new(256, 256)].map(image::Frame::new);
    animated.encode_frames(frames).expect("a picture");
    drop(animated);
    let data =
        Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs this")).join("tests/data");
    for (name, fixture) in [
        ("g_cmyk.jpg", "astronaut_cmyk.jpg"),
        ("h_palette.png", "astronaut_palette.png"),
        ("i_moving.png", "astronaut_moving.png"),
        ("j_moving.webp", "astronaut_moving.webp"),
    ] {
        fs::copy(data.join(fixture), folder.join(name)).expect("a fixture");
    }
    let output = run(&[], &[&folder]);
    assert!(output.status.success(), "{output:?}");
    let reports = reports(&output);
    assert_eq!(reports.len(), 10);
    for report in reports {
        let [face] = &report.faces[..] else { panic!("one face in {}", report.file.display()) };
        assert_eq!(face.expression, Some(Expression::Happiness), "{}", report.file.display());
    }
}

#[test]
fn the_smallest_and_the_largest_pictures_get_an_answer() {
    let folder = scratch("extremes");
    for (name, width, height) in [("a.png", 1, 1), ("b.png", 1, 5_000), ("c.png", 5_000, 1), ("d.png", 2, 2)]
    {
        image::RgbImage::from_pixel(width, height, image::Rgb([90; 3])).save(folder.join(name)).expect(name);
    }
    fs::write(folder.join("e.png"), claimed(12_000, 9_000)).expect("a file");
    fs::write(folder.join("f.png"), claimed(0, 7)).expect("a file");
    for options in [&[][..], &["--cropped"]] {
        let output = run(options, &[&folder]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(names(&output), ["a.png", "b.png", "c.png", "d.png"]);
        assert_tells(&output, &["FOLDER/e.png: is too large: 12000×9000", "FOLDER/f.png: is "], &folder);
    }
}

#[test]
fn a_file_that_ends_too_early_is_a_fault_or_a_picture_and_never_the_end() {
    let folder = scratch("truncated");
    let mut count = 0;
    for (ending, file) in [("png", "astronaut.png"), ("jpg", "grace_hopper.jpg")] {
        let whole = fs::read(fixtures().join(file)).expect("a fixture");
        for part in 0..16 {
            let name = format!("{ending}_{part:02}.{ending}");
            fs::write(folder.join(name), &whole[..whole.len() * part / 16]).expect("a file");
            count += 1;
        }
    }
    let output = run(&[], &[&folder]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    let told = told.lines().filter(|line| !line.starts_with("mien-analyze: read ")).count();
    assert_eq!(names(&output).len() + told, count, "each is read or told: {output:?}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
}
