//! The accuracy command as a user runs it, on a small folder.

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

/// Given in a column, or the one picture of the same person among the neutral ones.
#[test]
fn the_own_neutral_face_gives_measures_of_its_own() {
    for (name, table) in
        [("named", "face,neutral\na,1_neutral/b.jpg\n"), ("beside", "face,sex\na,female\nb,female\n")]
    {
        let folder = folder(name);
        if name == "beside" {
            fs::copy(folder.join("1_neutral/b.jpg"), folder.join("1_neutral/a.jpg")).expect("a copy");
        }
        fs::write(folder.join("people.csv"), table).expect("a file");
        let json = folder.join("measures.json");
        let output = run(&["--landmarks", "--json", json.to_str().expect("text")], &folder);
        assert!(output.status.success(), "{output:?}");
        let measures: serde_json::Value =
            serde_json::from_slice(&fs::read(json).expect("a file")).expect("JSON");
        let own = &measures["own_neutral"];
        assert_eq!((&own["pictures"], &own["accuracy"]), (&1.into(), &1.0.into()), "{name}: {own}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("\nWith the own neutral face"));
    }
}

#[test]
fn a_neutral_face_that_is_not_there_is_named() {
    let folder = folder("missing");
    fs::write(folder.join("people.csv"), "face,neutral\na,neutral/x.jpg\n").expect("a file");
    let output = run(&[], &folder);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("there is no picture neutral/x.jpg"),
        "{output:?}"
    );
}

#[test]
fn where_no_folder_is_an_expression_it_says_so() {
    let output = run(&[], &fixtures());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("has the name of an expression"), "{output:?}");
}

/// In place of the program that runs the page's worker: it sees nobody, and its browser decodes nothing.
const BLIND: &str = r#"#!/bin/sh
while read -r line; do echo '{"face":null,"file":{"fault":"is not decoded"}}'; done
"#;

#[test]
fn a_worker_that_answers_otherwise_is_told_and_a_failure() {
    let folder = folder("worker");
    let program = folder.join("blind.sh");
    fs::write(&program, BLIND).expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).expect("a program");
    let json = folder.join("measures.json");
    let (program, json) = (program.to_str().expect("text"), json.to_str().expect("text"));
    let output = run(&["--json", json, "--wasm", program, "page"], &folder);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let table = String::from_utf8(output.stdout).expect("text");
    assert!(table.contains("detection rate      0.000"), "the worker is measured:\n{table}");
    assert!(table.contains("NOT EQUAL") && table.contains("found by one: Happy/a.png"), "{table}");
    let measures: serde_json::Value = serde_json::from_slice(&fs::read(json).expect("a file")).expect("JSON");
    assert_eq!(measures["worker"]["undecoded"].as_array().map(Vec::len), Some(3));

    let output = run(&["--wasm", "/nowhere/program", "page"], &folder);
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not start"), "{output:?}");
    let output = run(&["--landmarks", "--wasm", program, "page"], &folder);
    assert!(String::from_utf8_lossy(&output.stderr).contains("--landmarks is native"), "{output:?}");
}
