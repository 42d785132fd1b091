//! Names that are awkward, and very many of them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use crate::command::{encoded, reports, run, scratch, summary};

#[test]
fn names_with_quotes_newlines_and_bytes_that_are_no_text_are_kept_apart() {
    let folder = scratch("names");
    let expected = [
        (&b" .png"[..], " .png"),
        (b"\"q\"'.png", "\"q\"'.png"),
        (b"a\nb.png", "a\nb.png"),
        (b"b,c.png", "b,c.png"),
        (b"c\xFE.png", "c\\xFE.png"),
        (b"c\xFF.png", "c\\xFF.png"),
        ("é.png".as_bytes(), "é.png"),
    ];
    for (name, _) in expected {
        fs::write(folder.join(OsStr::from_bytes(name)), encoded(image::ImageFormat::Png)).expect("a file");
    }
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let output = run(&[], &[&folder]);
    assert!(output.status.success(), "{output:?}");
    let found: Vec<_> =
        reports(&output).into_iter().map(|report| report.file.to_string_lossy().into_owned()).collect();
    assert_eq!(found, expected.map(|(_, text)| file(text)));
    for format in ["csv", "fex"] {
        let output = run(&["--format", format], &[&folder]);
        let mut rows = csv::Reader::from_reader(&output.stdout[..]);
        let column = if format == "csv" { 0 } else { 14 };
        let found: Vec<_> = rows.records().map(|row| row.expect("a row")[column].to_owned()).collect();
        assert_eq!(found, expected.map(|(_, text)| file(text)));
    }
}

#[test]
fn an_error_stays_on_its_line_and_obeys_no_name() {
    let folder = scratch("commands");
    let name = "a\n\u{1b}[2Jb.png";
    fs::write(folder.join(name), "no picture").expect("a file");
    fs::write(folder.join("\u{1b}c.txt"), "no picture").expect("a file");
    let output = run(&[], &[&folder]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(told.lines().count(), 3, "{told:?}");
    assert!(told.contains("a\\n\\u{1b}[2Jb.png: is not a picture") && !told.contains('\u{1b}'), "{told:?}");
}

/// What is already read is found again, and what is no picture counted, however many there are.
#[test]
fn a_folder_of_a_hundred_thousand_files_is_walked() {
    const PICTURES: usize = 50_000;
    const OTHERS: usize = 50_000;
    let folder = scratch("crowded");
    let (inside, results) = (folder.join("inside"), folder.join("results.ndjson"));
    fs::create_dir(&inside).expect("a folder");
    let png = encoded(image::ImageFormat::Png);
    let mut lines = Vec::new();
    for place in 0..PICTURES {
        let path = inside.join(format!("{place:06}.png"));
        fs::write(&path, &png).expect("a file");
        if place % (PICTURES / 2) != 7 {
            lines.push(format!("{{\"file\":{:?},\"faces\":[]}}\n", path.to_string_lossy()));
        }
    }
    for place in 0..OTHERS {
        fs::write(inside.join(format!("{place:06}.txt")), "").expect("a file");
    }
    let lines = lines.concat();
    fs::write(&results, &lines).expect("a file");
    let output = run(&["--resume", results.to_str().expect("text")], &[&inside]);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let said = summary(&output);
    assert!(said.starts_with("2 of 2 pictures"), "{said}");
    assert!(said.ends_with("2 without a face, 50000 left out, 49998 read before"), "{said}");
    let after = fs::read_to_string(&results).expect("results");
    let added: Vec<&str> = after.strip_prefix(&lines).expect("nothing changed").lines().collect();
    assert!(
        added.len() == 2 && added[0].contains("/000007.png\"") && added[1].contains("/025007.png\""),
        "{added:?}"
    );
    fs::remove_dir_all(&folder).expect("it was there");
}
