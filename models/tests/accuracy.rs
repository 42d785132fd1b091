//! The accuracy command as a user runs it, over a small folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fixtures() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs this")).join("../tests/fixtures")
}

fn run(arguments: &[&str], folder: &Path) -> Output {
    let program = std::env::var_os("CARGO_BIN_EXE_mien-accuracy").expect("Cargo built it");
    Command::new(program).args(arguments).arg(folder).output().expect("the command starts")
}

/// Two people, one of whom has a neutral picture, and a picture of nobody.
fn folder(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("this test has a file");
    let folder = tests.with_file_name("mien-accuracy-scratch").join(name);
    let _ = fs::remove_dir_all(&folder);
    for class in ["Happy", "1_neutral", "notes"] {
        fs::create_dir_all(folder.join(class)).expect("a folder");
    }
    fs::copy(fixtures().join("astronaut.png"), folder.join("Happy/a.png")).expect("a fixture");
    fs::copy(fixtures().join("grace_hopper.jpg"), folder.join("1_neutral/b.jpg")).expect("a fixture");
    image::RgbImage::new(64, 48).save(folder.join("1_neutral/c.png")).expect("a picture");
    fs::write(folder.join("notes/readme.txt"), "no picture").expect("a file");
    folder
}

#[test]
fn it_prints_a_table_and_writes_json_and_answers() {
    let folder = folder("table");
    let (json, answers) = (folder.join("measures.json"), folder.join("answers.csv"));
    let output =
        run(&["--json", json.to_str().expect("text"), "--answers", answers.to_str().expect("text")], &folder);
    assert!(output.status.success(), "{output:?}");
    let table = String::from_utf8(output.stdout).expect("text");
    for line in ["pictures            3", "detection rate      0.667", "accuracy            0.667"] {
        assert!(table.lines().any(|found| found == line), "{line} is not in\n{table}");
    }
    let measures: serde_json::Value = serde_json::from_slice(&fs::read(json).expect("a file")).expect("JSON");
    assert_eq!(measures["all"]["confusion"]["neutral"]["no face"], 1);
    assert_eq!(measures["all"]["recall"]["happiness"], 1.0);
    let answers = fs::read_to_string(answers).expect("a file");
    assert_eq!(answers.lines().count(), 4);
    assert!(answers.contains("\nHappy/a.png,happiness,happiness,"), "{answers}");
}

#[test]
fn a_table_of_people_gives_groups() {
    let folder = folder("people");
    fs::write(folder.join("people.csv"), "face,born,sex\na,1949,female\nb,1906,female\nc,,\n")
        .expect("a file");
    let output = run(&[], &folder);
    assert!(output.status.success(), "{output:?}");
    let table = String::from_utf8(output.stdout).expect("text");
    assert!(table.contains("\nborn ") && table.contains("\n1906 ") && table.contains("\n1949 "), "{table}");
    assert!(!table.contains("\nsex "), "one group is no comparison:\n{table}");
}

#[test]
fn where_no_folder_is_an_expression_it_says_so() {
    let output = run(&[], &fixtures());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("has the name of an expression"), "{output:?}");
}
