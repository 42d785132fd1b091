//! How a run ends that cannot go on: the disk is full, the folder vanishes, nobody reads.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Output, Stdio};

use crate::command::{command, encoded, fixtures, names, run, scratch};

#[test]
fn a_disk_that_is_full_is_told_and_ends_with_three() {
    let astronaut = fixtures().join("astronaut.png");
    for format in ["ndjson", "csv", "fex"] {
        let full = fs::File::options().write(true).open("/dev/full").expect("a disk without room");
        let output = command()
            .args(["--format", format])
            .arg(&astronaut)
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("results cannot be written: No space left on device"), "{told}");
    }
}

/// A limit on the size of files stands for a disk that fills.
#[test]
fn what_was_written_before_the_disk_was_full_stays_and_is_continued() {
    let folder = scratch("full");
    for place in 0..12 {
        fs::copy(fixtures().join("astronaut.png"), folder.join(format!("{place:02}.png")))
            .expect("a fixture");
    }
    for (format, blocks) in [("ndjson", 4), ("csv", 2), ("fex", 2)] {
        let results = folder.join(format!("results.{format}.txt"));
        let program = command().get_program().to_owned();
        // The signal would end the program before the error that a full disk is.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let output = Command::new("sh")
            .args(["-c", &script])
            .arg(program)
            .args(["--format", format, "--resume"])
            .args([&results, &folder])
            .output()
            .expect("sh runs");
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("run the same command again to continue"), "{told}");
        let kept = fs::read(&results).expect("results");
        assert!(kept.ends_with(b"\n") && kept.split(|byte| *byte == b'\n').count() > 2, "whole lines stay");

        let output = run(&["--format", format, "--resume", results.to_str().expect("text")], &[&folder]);
        assert!(output.status.success(), "{output:?}");
        let all = run(&["--format", format], &[&folder]).stdout;
        assert!(all.starts_with(&kept), "{format}");
        assert!(fs::read(&results).expect("results") == all, "{format}: as if it had not been interrupted");
    }
}

#[test]
fn a_folder_that_vanishes_is_an_error_for_each_picture_and_not_the_end() {
    const PICTURES: usize = 300;
    let folder = scratch("vanishing");
    for place in 0..PICTURES {
        fs::write(folder.join(format!("{place:03}.png")), encoded(image::ImageFormat::Png)).expect("a file");
    }
    let mut child =
        command().arg(&folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut results = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut stdout = Vec::new();
    results.read_until(b'\n', &mut stdout).expect("a first result");
    fs::remove_dir_all(&folder).expect("it was there");
    let reading = std::thread::spawn(move || {
        results.read_to_end(&mut stdout).expect("results");
        stdout
    });
    let Output { status, stderr, .. } = child.wait_with_output().expect("it ends");
    let output = Output { status, stderr, stdout: reading.join().expect("results") };
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    let gone = told.lines().filter(|line| line.contains(".png: cannot be opened: No such file")).count();
    assert!(gone > 0, "{told}");
    assert_eq!(names(&output).len() + gone, PICTURES);
}

#[test]
fn nobody_left_to_tell_is_no_crash() {
    let folder = scratch("unheard");
    fs::write(folder.join("a.png"), "no picture").expect("a file");
    let full = fs::File::options().write(true).open("/dev/full").expect("a disk without room");
    let output = command().arg(&folder).stderr(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

/// Runs over a ring of a few pictures, so that only what grows with their number can grow.
#[test]
fn memory_does_not_grow_with_the_number_of_pictures() {
    const PICTURES: usize = 1_000;
    const EARLY: usize = 300;
    let folder = scratch("memory");
    let ring = [(16, 12), (64, 48), (120, 90), (33, 200)].map(|(width, height)| {
        let name = format!("ring-{width}.png");
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * y) as u8, x as u8, y as u8]))
            .save(folder.join(&name))
            .expect("a picture");
        name
    });
    let pictures = (0..PICTURES).map(|place| folder.join(&ring[place % ring.len()]));
    let mut child = command()
        .args(["--quiet", "--cropped", "--jobs", "2"])
        .args(pictures)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let id = child.id();
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size").trim();
        line.trim_end_matches(" kB").parse::<f64>().expect("a number")
    };
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let early = lines.nth(EARLY - 1).map(|_| resident()).expect("results");
    // Not the last one, after which it may be gone.
    let late = lines.nth(PICTURES - EARLY - 40).map(|_| resident()).expect("results");
    assert!(lines.count() > 0);
    assert!(child.wait().expect("it ends").success());
    assert!((late / early - 1.0).abs() < 0.05, "{early} kB after {EARLY}, {late} kB near the end");
}
