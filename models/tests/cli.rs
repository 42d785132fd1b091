//! The command as a user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mien_shared::{Expression, Face};
use serde::Deserialize;

#[derive(Deserialize)]
struct Report {
    file: PathBuf,
    faces: Vec<Face>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_mien-analyze"))
}

fn run(arguments: &[&str], paths: &[&Path]) -> Output {
    command().args(arguments).args(paths).output().expect("the command starts")
}

fn reports(output: &Output) -> Vec<Report> {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// A folder of its own for one test.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // It is not there on the first run.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn a_folder_gives_one_line_a_picture_in_order() {
    let output = run(&[], &[&fixtures()]);
    assert!(output.status.success(), "{output:?}");
    let reports = reports(&output);
    let astronaut = reports.iter().find(|report| report.file.ends_with("astronaut.png")).expect("a line");
    let [face] = &astronaut.faces[..] else { panic!("one face: {:?}", astronaut.faces) };
    assert_eq!((face.id, face.expression), (1, Some(Expression::Happiness)));
    assert!(reports.is_sorted_by(|a, b| a.file < b.file));
}

#[test]
fn csv_has_a_row_a_face_and_one_for_nobody() {
    let folder = scratch("csv");
    let empty = folder.join("nobody.png");
    image::RgbImage::new(40, 30).save(&empty).expect("a picture");
    let output = run(&["--format", "csv"], &[&empty, &fixtures().join("astronaut.png")]);
    let mut rows = csv::Reader::from_reader(&output.stdout[..]);
    let header = rows.headers().expect("a header").clone();
    assert_eq!(
        header.iter().collect::<Vec<_>>().join(","),
        "file,face,left,top,width,height,expression,neutral,happiness,sadness,anger,fear,disgust,surprise,quality"
    );
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].iter().skip(1).all(str::is_empty));
    assert_eq!((&rows[1][1], &rows[1][6]), ("1", "happiness"));
}

#[test]
fn a_cropped_picture_is_one_face_with_the_whole_picture_as_its_box() {
    let crop = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/grace_hopper_256.png");
    let grey = scratch("cropped").join("grey.png");
    image::RgbImage::from_pixel(48, 48, image::Rgb([90; 3])).save(&grey).expect("a picture");
    let output = run(&["--cropped"], &[&crop, &grey]);
    assert!(output.status.success(), "{output:?}");
    for report in reports(&output) {
        let [face] = &report.faces[..] else { panic!("one face") };
        assert_eq!(<[f32; 4]>::from(face.bounds), [0.0, 0.0, 1.0, 1.0]);
    }
}

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
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(told.lines().count(), 4, "{told}");
    for part in
        ["a_text.png: is not a picture", "b_cut.png: is damaged", "c_huge.png: is too large: 60000×60000"]
    {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

/// A PNG that claims a size and holds nothing.
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

/// CRC-32 as PNG wants it.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let astronaut = fixtures().join("astronaut.png");
    let mut child = command()
        .args(vec![&astronaut; 4])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn wrong_usage_ends_with_two() {
    assert_eq!(run(&[], &[]).status.code(), Some(2));
    assert_eq!(run(&["--format", "xml"], &[Path::new("a.png")]).status.code(), Some(2));
    let help = run(&["--help"], &[]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("--cropped"));
}
