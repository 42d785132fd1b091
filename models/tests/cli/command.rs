//! Runs the command, and reads what it says.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mien_shared::Face;
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Report {
    pub(crate) file: PathBuf,
    pub(crate) faces: Vec<Face>,
    pub(crate) frame: Option<u64>,
    pub(crate) media_ms: Option<u64>,
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs this")).join("../tests/fixtures")
}

pub(crate) fn command() -> Command {
    // Looked up at run time: in a copied checkout, the compiled-in path would be that of the original.
    Command::new(std::env::var_os("CARGO_BIN_EXE_mien-analyze").expect("Cargo built it"))
}

pub(crate) fn run(arguments: &[&str], paths: &[&Path]) -> Output {
    command().args(arguments).args(paths).output().expect("the command starts")
}

pub(crate) fn reports(output: &Output) -> Vec<Report> {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// A folder of its own for one test.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("this test has a file");
    let folder = tests.with_file_name("mien-analyze-scratch").join(name);
    // It does not exist on the first run.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Asserts that standard error has these lines (given by their beginnings), in this order, then the summary if there
/// was a picture, and no others; FOLDER stands for the folder.
#[track_caller]
pub(crate) fn assert_tells(output: &Output, beginnings: &[&str], folder: &Path) {
    let told = String::from_utf8_lossy(&output.stderr).replace(&*folder.to_string_lossy(), "FOLDER");
    let mut lines: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("mien-analyze: ")).collect();
    assert_eq!(lines.len(), told.lines().count(), "{told}");
    if beginnings.last() != Some(&"there is no picture to read") {
        assert!(lines.pop().is_some_and(|last| last.starts_with("read ")), "no summary: {told}");
    }
    assert_eq!(lines.len(), beginnings.len(), "{told}");
    for (line, beginning) in lines.iter().zip(beginnings) {
        assert!(line.starts_with(beginning), "{beginning} does not begin {line}");
    }
}

/// The last line of standard error.
#[track_caller]
pub(crate) fn summary(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = told.lines().last().and_then(|line| line.strip_prefix("mien-analyze: read "));
    last.unwrap_or_else(|| panic!("no summary: {told}")).to_owned()
}

/// Runs the command over a stream.
pub(crate) fn piped(arguments: &[&str], stream: &[u8]) -> Output {
    let mut child = command()
        .args(arguments)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut input = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        // It may leave before the end.
        scope.spawn(move || drop(input.write_all(stream)));
        child.wait_with_output().expect("it ends")
    })
}

pub(crate) fn names(output: &Output) -> Vec<String> {
    let name = |report: Report| report.file.file_name().map(|name| name.to_string_lossy().into_owned());
    reports(output).into_iter().filter_map(name).collect()
}

/// A small picture as a file of this kind.
pub(crate) fn encoded(format: image::ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(16, 12).write_to(&mut file, format).expect("a picture");
    file.into_inner()
}

pub(crate) const HEIC: &[u8] = b"\0\0\0\x1Cftypheic\0\0\0\0mif1heicmiaf";

pub(crate) const AVIF: &[u8] = b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B";
