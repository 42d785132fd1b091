//! Runs the command, and reads what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mien_shared::Face;
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Report {
    pub(crate) file: PathBuf,
    pub(crate) faces: Vec<Face>,
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

/// Asserts that standard error has these lines (given by their beginnings), in this order, and no others; FOLDER stands
/// for the folder.
#[track_caller]
pub(crate) fn assert_tells(output: &Output, beginnings: &[&str], folder: &Path) {
    let told = String::from_utf8_lossy(&output.stderr).replace(&*folder.to_string_lossy(), "FOLDER");
    let lines: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("mien-analyze: ")).collect();
    assert_eq!(lines.len(), told.lines().count(), "{told}");
    assert_eq!(lines.len(), beginnings.len(), "{told}");
    for (line, beginning) in lines.iter().zip(beginnings) {
        assert!(line.starts_with(beginning), "{beginning} does not begin {line}");
    }
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
