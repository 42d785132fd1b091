//! Runs that continue others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::command::{assert_tells, command, encoded, fixtures, run, scratch, summary};

/// A folder with pictures in it, and a name for results beside it.
fn pictures(name: &str, count: usize) -> (PathBuf, PathBuf) {
    let folder = scratch(name);
    let inside = folder.join("pictures");
    fs::create_dir(&inside).expect("a folder");
    for place in 0..count {
        fs::write(inside.join(format!("{place:03}.png")), encoded(image::ImageFormat::Png)).expect("a file");
    }
    (inside, folder.join("results"))
}

fn resumed(format: &str, results: &Path, folder: &Path) -> std::process::Output {
    run(&["--format", format, "--resume", results.to_str().expect("text")], &[folder])
}

#[test]
fn a_run_that_was_killed_is_continued_to_the_same_results() {
    let (folder, results) = pictures("killed", 120);
    fs::copy(fixtures().join("astronaut.png"), folder.join("050.png")).expect("a fixture");
    for format in ["ndjson", "csv", "fex"] {
        let mut child = command()
            .args(["--format", format, "--resume"])
            .args([&results, &folder])
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let lines = || fs::read_to_string(&results).map_or(0, |text| text.lines().count());
        while lines() < 20 {
            assert!(child.try_wait().expect("it runs").is_none(), "it ended before it could be killed");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().expect("it was there");
        child.wait().expect("it ends");
        let before = lines();
        assert!(before < 120, "it was interrupted");

        let output = resumed(format, &results, &folder);
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        let said = summary(&output);
        assert!(said.contains(" read before") && !said.starts_with("120 of"), "{said}");
        let whole = run(&["--format", format], &[&folder]).stdout;
        assert!(fs::read(&results).expect("results") == whole, "{format}");

        let output = resumed(format, &results, &folder);
        assert!(output.status.success(), "nothing is left to do: {output:?}");
        assert!(summary(&output).starts_with("0 of 0 pictures"), "{output:?}");
        assert!(fs::read(&results).expect("results") == whole, "{format}");
        fs::remove_file(&results).expect("results");
    }
}

#[test]
fn errors_are_tried_again_and_new_pictures_read() {
    let (folder, results) = pictures("again", 3);
    let whole = fs::read(folder.join("001.png")).expect("a picture");
    fs::write(folder.join("001.png"), &whole[..20]).expect("a file");
    let output = resumed("ndjson", &results, &folder);
    assert_eq!(output.status.code(), Some(1));
    assert_tells(&output, &["FOLDER/001.png: is damaged"], &folder);
    fs::write(folder.join("001.png"), &whole).expect("a file");
    fs::write(folder.join("003.png"), &whole).expect("a file");
    let output = resumed("ndjson", &results, &folder);
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(&results).expect("results");
    let order = ["000.png", "002.png", "001.png", "003.png"];
    assert!(
        text.lines().count() == 4 && text.lines().zip(order).all(|(line, name)| line.contains(name)),
        "{text}"
    );
}

#[test]
fn a_file_that_is_no_such_output_is_refused_and_not_changed() {
    let (folder, results) = pictures("refused", 1);
    for (format, text) in
        [("ndjson", "dear diary\n"), ("csv", "file,face\n"), ("fex", "{\"file\":\"a\",\"faces\":[]}\n")]
    {
        fs::write(&results, text).expect("a file");
        let output = resumed(format, &results, &folder);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("results: ") && told.contains("left as it is"), "{told}");
        assert_eq!(fs::read_to_string(&results).expect("it is there"), text);
    }
}
