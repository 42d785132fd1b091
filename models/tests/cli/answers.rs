//! What is written.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use mien_shared::Expression;

use crate::command::{command, encoded, fixtures, reports, run, scratch};

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

#[test]
fn a_smile_is_told_from_the_own_neutral_face() {
    let (astronaut, grace) = (fixtures().join("astronaut.png"), fixtures().join("grace_hopper.jpg"));
    let plain = &reports(&run(&[], &[&astronaut]))[0];
    for options in [&[][..], &["--landmarks"]] {
        // Compared with another picture's neutral face the smile is still one; compared with itself there is none.
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
