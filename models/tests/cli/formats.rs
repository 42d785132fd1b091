//! Py-Feat's columns, and the order of results.

use std::collections::BTreeMap;
use std::fs;

use crate::command::{command, encoded, fixtures, names, reports, run, scratch, summary};

#[test]
fn py_feats_columns_hold_pixels_and_a_row_for_nobody() {
    let nobody = scratch("fex").join("nobody.png");
    image::RgbImage::new(40, 30).save(&nobody).expect("a picture");
    let astronaut = fixtures().join("astronaut.png");
    let output = run(&["--format", "fex"], &[&astronaut, &nobody, &astronaut]);
    assert!(output.status.success(), "{output:?}");
    let mut table = csv::Reader::from_reader(&output.stdout[..]);
    let rows: Vec<BTreeMap<String, String>> = table.deserialize().map(|row| row.expect("a row")).collect();
    let [face, none, again] = &rows[..] else { panic!("three rows: {rows:?}") };
    assert!(!face.contains_key("valence") || !face.contains_key("arousal"), "these two mean Detectorv2");

    let report = &reports(&run(&[], &[&astronaut]))[0].faces[0];
    let number = |row: &BTreeMap<String, String>, name: &str| row[name].parse::<f32>().expect(name);
    let (width, height) = image::image_dimensions(&astronaut).expect("a picture");
    for (name, expected) in [
        ("FaceRectX", report.bounds.left * width as f32),
        ("FaceRectY", report.bounds.top * height as f32),
        ("FaceRectWidth", report.bounds.width * width as f32),
        ("FaceRectHeight", report.bounds.height * height as f32),
        ("happiness", report.scores.of(mien_shared::Expression::Happiness)),
        ("neutral", report.scores.of(mien_shared::Expression::Neutral)),
        ("FrameWidth", width as f32),
        ("FrameHeight", height as f32),
    ] {
        let found = number(face, name);
        assert!((found - expected).abs() < 1e-3, "{name}: {found} is not {expected}");
    }
    assert!((0.5..=1.0).contains(&number(face, "FaceScore")));
    let emotions = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"];
    assert!((emotions.map(|name| number(face, name)).iter().sum::<f32>() - 1.0).abs() < 1e-3);
    for name in
        ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"].iter().chain(&emotions)
    {
        assert_eq!(none[*name], "", "{name}");
    }
    assert_eq!((&*none["FrameWidth"], &*none["FrameHeight"]), ("40", "30"));
    assert_eq!(none["input"], nobody.to_string_lossy());
    assert_eq!([&*face["frame"], &*none["frame"], &*again["frame"]], ["0", "1", "2"], "a number a picture");
}

#[test]
fn results_come_in_order_unless_they_need_not() {
    let folder = scratch("order");
    // The first one takes many times as long as the others.
    let slow = image::open(fixtures().join("astronaut.png")).expect("a fixture");
    slow.resize(3_000, 3_000, image::imageops::FilterType::Nearest)
        .save(folder.join("a.png"))
        .expect("a picture");
    let mut expected = vec!["a.png".to_owned()];
    for place in 10..40 {
        let name = format!("b{place}.png");
        fs::write(folder.join(&name), encoded(image::ImageFormat::Png)).expect("a file");
        expected.push(name);
    }
    for jobs in ["1", "2", "5"] {
        let output = run(&["--jobs", jobs], &[&folder]);
        assert_eq!(names(&output), expected, "{jobs} jobs");
    }
    let output = run(&["--unordered", "--threads", "2"], &[&folder]);
    assert!(output.status.success(), "{output:?}");
    let mut found = names(&output);
    assert_ne!(found[0], "a.png", "nothing waits for it");
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_summary_adds_up_and_quiet_says_errors_alone() {
    let folder = scratch("summary");
    fs::copy(fixtures().join("astronaut.png"), folder.join("a.png")).expect("a fixture");
    fs::write(folder.join("b.png"), encoded(image::ImageFormat::Png)).expect("a file");
    fs::write(folder.join("c.png"), "no picture").expect("a file");
    fs::write(folder.join("d.txt"), "notes").expect("a file");
    let output = run(&[], &[&folder]);
    let said = summary(&output);
    assert!(said.starts_with("2 of 3 pictures in "), "{said}");
    assert!(said.ends_with("): 1 face, 1 without a face, 1 error, 1 left out"), "{said}");
    let output = run(&["--quiet"], &[&folder]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.lines().count() == 1 && told.contains("c.png: is not a picture"), "{told}");
}

#[test]
fn progress_is_drawn_in_a_terminal_alone() {
    let folder = scratch("progress");
    for name in ["a.png", "b.png", "c.png"] {
        fs::write(folder.join(name), encoded(image::ImageFormat::Png)).expect("a file");
    }
    fs::write(folder.join("b.png"), "no picture").expect("a file");
    // `script` gives the command a terminal; what it has on standard output goes to a file.
    let program = command().get_program().to_string_lossy().into_owned();
    let line = format!("'{program}' '{}' > '{}'", folder.display(), folder.join("out").display());
    let output = std::process::Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .output()
        .expect("script runs");
    let seen = String::from_utf8_lossy(&output.stdout);
    assert!(seen.contains("\r\u{1b}[K\u{1b}[?7l1/3 pictures  0 faces  "), "{seen:?}");
    // An error begins on a line of its own, and nothing of the progress is left at the end.
    assert!(
        seen.contains("\r\u{1b}[Kmien-analyze: ") && seen.contains("b.png: is not a picture"),
        "{seen:?}"
    );
    assert!(seen.contains("\r\u{1b}[Kmien-analyze: read 2 of 3 pictures in "), "{seen:?}");
    let written = fs::read_to_string(folder.join("out")).expect("results");
    assert_eq!(written.lines().count(), 2, "{written}");
    let piped = run(&[], &[&folder]);
    assert!(!String::from_utf8_lossy(&piped.stderr).contains('\r'), "{piped:?}");
}
