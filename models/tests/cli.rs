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
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs this")).join("../tests/fixtures")
}

fn command() -> Command {
    // Asked for now: in a copied checkout, what was compiled in is the one that was copied.
    Command::new(std::env::var_os("CARGO_BIN_EXE_mien-analyze").expect("Cargo built it"))
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
    let tests = std::env::current_exe().expect("this test has a file");
    let folder = tests.with_file_name("mien-analyze-scratch").join(name);
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
    let crop = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs this"))
        .join("tests/data/grace_hopper_256.png");
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

#[test]
fn a_file_that_is_called_like_a_formula_is_none_in_a_spreadsheet() {
    let folder = scratch("formulas");
    let names = ["=1+1.png", "@a.png", "a=1.png"];
    for name in names {
        fs::write(folder.join(name), encoded(image::ImageFormat::Png)).expect("a file");
    }
    let output = command().args(["--format", "csv", "--"]).args(names).current_dir(&folder).output();
    let text = String::from_utf8(output.expect("it runs").stdout).expect("text");
    let firsts: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(firsts, ["\"'=1+1.png\"", "\"'@a.png\"", "\"a=1.png\""]);
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

/// That standard error has these lines, in this order, and no others: their beginnings, where FOLDER is the folder.
#[track_caller]
fn assert_tells(output: &Output, beginnings: &[&str], folder: &Path) {
    let told = String::from_utf8_lossy(&output.stderr).replace(&*folder.to_string_lossy(), "FOLDER");
    let lines: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("mien-analyze: ")).collect();
    assert_eq!(lines.len(), told.lines().count(), "{told}");
    assert_eq!(lines.len(), beginnings.len(), "{told}");
    for (line, beginning) in lines.iter().zip(beginnings) {
        assert!(line.starts_with(beginning), "{beginning} does not begin {line}");
    }
}

fn names(output: &Output) -> Vec<String> {
    let name = |report: Report| report.file.file_name().map(|name| name.to_string_lossy().into_owned());
    reports(output).into_iter().filter_map(name).collect()
}

/// A small picture as a file of this kind.
fn encoded(format: image::ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(16, 12).write_to(&mut file, format).expect("a picture");
    file.into_inner()
}

#[test]
fn every_picture_of_a_folder_that_can_be_decoded_is_read_whatever_it_is_called() {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Tiff, WebP};
    let folder = scratch("kinds");
    let files = [
        ("a.jfif", Jpeg),
        ("b.jpe", Jpeg),
        ("c.JPEG", Jpeg),
        ("d.tif", Tiff),
        ("e.TIFF", Tiff),
        ("f.webp", WebP),
        ("g.bmp", Bmp),
        ("h.gif", Gif),
        ("i.ppm", Pnm),
        ("j", Png),
        ("k.png", Jpeg),
        ("l.heic", Jpeg),
        ("m.txt", Png),
    ];
    for (name, format) in files {
        fs::write(folder.join(name), encoded(format)).expect("a file");
    }
    fs::create_dir(folder.join("n.jpg")).expect("a folder that is called like a picture");
    fs::write(folder.join("n.jpg/inside.png"), encoded(Png)).expect("a file");
    let output = run(&[], &[&folder]);
    assert!(output.status.success(), "{output:?}");
    let mut expected = files.map(|(name, _)| name.to_owned()).to_vec();
    expected.push("inside.png".to_owned());
    assert_eq!(names(&output), expected);
    assert_tells(&output, &[], &folder);
}

const HEIC: &[u8] = b"\0\0\0\x1Cftypheic\0\0\0\0mif1heicmiaf";
const AVIF: &[u8] = b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B";

#[test]
fn what_a_folder_holds_besides_is_told_with_how_many() {
    let folder = scratch("besides");
    for (name, bytes) in [
        ("IMG_1.HEIC", HEIC),
        ("IMG_2.jpg", HEIC),
        ("a.avif", AVIF),
        ("b.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("notes.txt", b"P1 said yes"),
        ("people.csv", b"BMI,age\n20,30\n"),
        (".DS_Store", b"\0\0\0\x01Bud1"),
        ("clip.mp4", b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2"),
    ] {
        fs::write(folder.join(name), bytes).expect("a file");
    }
    fs::create_dir(folder.join(".thumbnails")).expect("a folder");
    fs::write(folder.join(".thumbnails/t.png"), encoded(image::ImageFormat::Png)).expect("a file");
    fs::write(folder.join("good.png"), encoded(image::ImageFormat::Png)).expect("a file");
    let output = run(&[], &[&folder]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(names(&output), ["good.png"]);
    assert_tells(
        &output,
        &[
            "left out 1 AVIF picture, a kind that is not supported: FOLDER/a.avif",
            "left out 2 HEIC pictures, a kind that is not supported: FOLDER/IMG_1.HEIC, FOLDER/IMG_2.jpg",
            "left out 1 SVG picture, a kind that is not supported: FOLDER/b.svg",
            "left out 3 files that are no pictures: FOLDER/clip.mp4, FOLDER/notes.txt, FOLDER/people.csv",
            "left out 2 that are hidden: FOLDER/.DS_Store, FOLDER/.thumbnails",
        ],
        &folder,
    );
}

#[test]
fn where_nothing_was_read_at_all_it_fails() {
    let folder = scratch("nothing");
    let output = run(&[], &[&folder]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert_tells(&output, &["there is no picture to read"], &folder);

    for name in 1..=7 {
        fs::write(folder.join(format!("{name}.heic")), HEIC).expect("a file");
    }
    let output = run(&[], &[&folder]);
    assert_eq!(output.status.code(), Some(1));
    let (first, more) =
        ("left out 7 HEIC pictures, a kind that is not supported: FOLDER/1.heic, ", " and 2 more");
    assert_tells(&output, &[first, "there is no picture to read"], &folder);
    assert!(String::from_utf8_lossy(&output.stderr).contains(more), "{output:?}");
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

#[test]
fn links_are_followed_once_and_a_pipe_is_not_waited_for() {
    let folder = scratch("links");
    let inner = folder.join("inner");
    fs::create_dir(&inner).expect("a folder");
    fs::write(inner.join("a.png"), encoded(image::ImageFormat::Png)).expect("a file");
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, folder.join(name)).expect("a link");
    link("..", "inner/up");
    link("inner/a.png", "b.png");
    link("nowhere", "c");
    let made = Command::new("mkfifo").arg(folder.join("d.jpg")).status().expect("mkfifo runs");
    assert!(made.success());
    let output = run(&[], &[&folder]);
    assert_eq!(output.status.code(), Some(1), "a link leads nowhere");
    assert_eq!(names(&output), ["b.png", "a.png"]);
    let (nowhere, pipe) =
        ("FOLDER/c: cannot be opened", "left out 1 that is neither file nor folder: FOLDER/d.jpg");
    assert_tells(&output, &[nowhere, pipe], &folder);
    let output = run(&[], &[&folder.join("d.jpg")]);
    assert_tells(&output, &["FOLDER/d.jpg: is neither file nor folder"], &folder);

    let output = run(&[], &[&inner.join("a.png"), &inner, &inner]);
    assert_eq!(
        names(&output),
        ["a.png", "a.png", "b.png", "a.png", "b.png"],
        "what is named twice is read twice"
    );
}

#[test]
fn every_face_of_a_crowd_is_read() {
    const SIDE: u32 = 110;
    let portrait = image::open(fixtures().join("astronaut.png")).expect("a fixture").into_rgb8();
    let face = image::imageops::crop_imm(&portrait, 126, 24, 200, 200).to_image();
    let face = image::imageops::resize(&face, SIDE, SIDE, image::imageops::FilterType::Triangle);
    let mut crowd = image::RgbImage::new(7 * SIDE, 7 * SIDE);
    for place in 0..49 {
        image::imageops::replace(&mut crowd, &face, (place % 7 * SIDE).into(), (place / 7 * SIDE).into());
    }
    let file = scratch("crowd").join("crowd.png");
    crowd.save(&file).expect("a picture");
    let output = run(&[], &[&file]);
    let [report] = &reports(&output)[..] else { panic!("one line: {output:?}") };
    assert_eq!(report.faces.len(), 49);
    assert!(report.faces.iter().map(|face| face.id).eq(1..=49));
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

/// The astronaut in every way that a picture of one can be written.
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
    // A palette of 256 colours, and a second picture without anybody: the first counts.
    let mut animated = GifEncoder::new(fs::File::create(folder.join("f_moving.gif")).expect("a file"));
    let frames = [astronaut.to_rgba8(), image::RgbaImage::new(256, 256)].map(image::Frame::new);
    animated.encode_frames(frames).expect("a picture");
    drop(animated);
    let cmyk = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs this"))
        .join("tests/data/astronaut_cmyk.jpg");
    fs::copy(cmyk, folder.join("g_cmyk.jpg")).expect("a fixture");
    let output = run(&[], &[&folder]);
    assert!(output.status.success(), "{output:?}");
    let reports = reports(&output);
    assert_eq!(reports.len(), 7);
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
    let told = String::from_utf8_lossy(&output.stderr).lines().count();
    assert_eq!(names(&output).len() + told, count, "each is read or told: {output:?}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
}

#[test]
fn a_smile_is_told_from_the_own_neutral_face() {
    let (astronaut, grace) = (fixtures().join("astronaut.png"), fixtures().join("grace_hopper.jpg"));
    let plain = &reports(&run(&[], &[&astronaut]))[0];
    for options in [&[][..], &["--landmarks"]] {
        // Against another's neutral face the smile stays one; against itself there is none.
        let mut arguments = options.to_vec();
        arguments.extend(["--neutral", grace.to_str().expect("text")]);
        let output = run(&arguments, &[&astronaut]);
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("\"neutral_looks\":1"), "{output:?}");
        let [against] = &reports(&output)[..] else { panic!("one line") };
        assert_eq!(against.faces[0].expression, Some(Expression::Happiness));
        for expression in Expression::ALL.into_iter().skip(2) {
            let differs = against.faces[0].scores.of(expression) - plain.faces[0].scores.of(expression);
            assert!(differs.abs() < 1e-6, "it touches nothing but neutral and happiness");
        }
        let mut arguments = options.to_vec();
        arguments.extend(["--neutral", astronaut.to_str().expect("text")]);
        let [itself] = &reports(&run(&arguments, &[&astronaut]))[..] else { panic!("one line") };
        assert!(
            itself.faces[0].scores.of(Expression::Neutral) > itself.faces[0].scores.of(Expression::Happiness)
        );
    }
    let neutral = astronaut.to_str().expect("text");
    let csv = run(&["--format", "csv", "--neutral", neutral, "--neutral", neutral], &[&astronaut]);
    let text = String::from_utf8(csv.stdout).expect("text");
    assert!(text.lines().next().is_some_and(|line| line.ends_with(",quality,neutral_looks")), "{text}");
    assert!(text.lines().nth(1).is_some_and(|line| line.ends_with(",2")), "{text}");
}

#[test]
fn what_is_no_neutral_face_is_refused_with_the_reason() {
    let nobody = scratch("neutral").join("nobody.png");
    image::RgbImage::new(40, 30).save(&nobody).expect("a picture");
    let astronaut = fixtures().join("astronaut.png");
    let output = run(&["--neutral", nobody.to_str().expect("text")], &[&astronaut]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody.png: has no face"), "{output:?}");
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
