//! What the documents name exists: files and folders of the repository, and the tests that SECURITY.md points to.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mien_kit::parts;

/// File extensions that mark a name as one of our files. Databases, secrets and the like belong to whoever runs a
/// relay.
const ENDINGS: [&str; 14] =
    ["css", "html", "js", "json", "lock", "md", "onnx", "py", "rs", "sh", "sql", "toml", "ts", "yaml"];
/// The example by which SECURITY.md explains how it names tests.
const EXAMPLE: &str = "folder/file::name";
/// What is built, fetched or part of the system, and so is not in the repository.
const ELSEWHERE: [&str; 5] = [".git", "dist", "node_modules", "pkg", "target"];

/// Every file and folder of the repository, relative to its root, with slashes.
fn repository() -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if ELSEWHERE.contains(&name.as_str()) {
                continue;
            }
            let path = entry.path();
            found.insert(path.strip_prefix(parts::root()).unwrap().to_str().unwrap().to_owned());
            if entry.file_type().unwrap().is_dir() {
                walk(&path, found);
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(parts::root(), &mut found);
    found
}

/// The documents that describe the repository.
fn documents() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ["ARCHITECTURE.md", "README.md", "CONTRIBUTING.md", "SECURITY.md"]
        .map(|name| parts::root().join(name))
        .into();
    for entry in std::fs::read_dir(parts::root().join("docs")).unwrap() {
        files.extend(
            Some(entry.unwrap().path()).filter(|file| file.extension().is_some_and(|end| end == "md")),
        );
    }
    files
}

/// The code spans of a text, but not its code blocks: those are commands and their output.
fn spans(text: &str) -> Vec<&str> {
    let outside: Vec<&str> = text.split("```").step_by(2).collect();
    outside.into_iter().flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

/// The targets of a text's links, except those to other sites and within the text.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .map(|target| target.split('#').next().unwrap_or_default())
        .collect()
}

/// `a/{b,c}` as `a/b` and `a/c`.
fn expanded(name: &str) -> Vec<String> {
    match name.split_once('{').and_then(|(head, rest)| Some((head, rest.split_once('}')?))) {
        Some((head, (list, tail))) => {
            list.split(',').flat_map(|one| expanded(&format!("{head}{}{tail}", one.trim()))).collect()
        }
        None => vec![name.to_owned()],
    }
}

/// Whether a code span names a path in the repository.
fn is_place(name: &str, top: &BTreeSet<&str>) -> bool {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-./".contains(letter));
    let built = name.split('/').any(|part| ELSEWHERE.contains(&part));
    if !plain || built || name.starts_with(['/', '-']) || name.contains("..") {
        return false;
    }
    let ends = name.rsplit_once('.').is_some_and(|(stem, end)| !stem.is_empty() && ENDINGS.contains(&end));
    let begins = name.split_once('/').is_some_and(|(first, _)| top.contains(first));
    ends || begins
}

/// From the root, or from any folder below it: `store/dispatch.rs` needs no more words where the relay is spoken of.
fn is_there(name: &str, repository: &BTreeSet<String>) -> bool {
    let name = name.trim_end_matches('/');
    let below = format!("/{name}");
    repository.contains(name) || repository.iter().any(|path| path.ends_with(&below))
}

#[test]
fn every_path_that_a_document_names_exists() {
    let repository = repository();
    let top: BTreeSet<&str> = repository
        .iter()
        .filter(|path| !path.contains('/') && parts::root().join(path).is_dir())
        .map(String::as_str)
        .collect();
    let mut lost = Vec::new();
    for file in documents() {
        let text = std::fs::read_to_string(&file).unwrap();
        let document = file.strip_prefix(parts::root()).unwrap().display().to_string();
        let mut seen = 0;
        for name in spans(&text).into_iter().flat_map(expanded).filter(|name| is_place(name, &top)) {
            seen += 1;
            if !is_there(&name, &repository) {
                lost.push(format!("{document}: `{name}`"));
            }
        }
        for target in links(&text) {
            seen += 1;
            if !file.parent().unwrap().join(target).exists() {
                lost.push(format!("{document}: ({target})"));
            }
        }
        println!("{document}: {seen} places");
    }
    assert!(lost.is_empty(), "not in the repository:\n{}", lost.join("\n"));
}

#[test]
fn every_test_that_security_names_exists() {
    let repository = repository();
    let text = std::fs::read_to_string(parts::root().join("SECURITY.md")).unwrap();
    let mut seen = 0;
    for name in spans(&text).into_iter().filter(|name| name.contains("::") && *name != EXAMPLE) {
        let (place, test) = name.rsplit_once("::").unwrap();
        let place = place.replace("::", "/");
        let place = place.strip_suffix("/tests").unwrap_or(&place);
        let fits = |path: &&String| {
            let stem = path.strip_suffix(".rs").unwrap_or_default();
            let stem = stem.strip_suffix("/mod").or_else(|| stem.strip_suffix("/tests")).unwrap_or(stem);
            let stem = stem.replace("relay/src/", "src/");
            stem == *place || stem.ends_with(&format!("/{place}"))
        };
        let function = format!("fn {test}(");
        let found = repository.iter().filter(fits).any(|path| {
            std::fs::read_to_string(parts::root().join(path)).is_ok_and(|source| source.contains(&function))
        });
        assert!(found, "SECURITY.md names `{name}`, which is no test");
        seen += 1;
    }
    assert!(seen > 20, "{seen} tests are named");
}

#[test]
fn places_are_told_from_other_words() {
    let top = BTreeSet::from(["relay", "docs"]);
    for (name, place) in [
        ("relay/src", true),
        ("store/dispatch.rs", true),
        ("Cargo.toml", true),
        ("/api/v1/openapi.json", false),
        ("relay/target/release", false),
        ("mien.db", false),
        ("cargo xtask test", false),
        ("samples/second", false),
        (".rs", false),
    ] {
        assert_eq!(is_place(name, &top), place, "{name}");
    }
    assert_eq!(expanded("tests/{kit,page}/src"), ["tests/kit/src", "tests/page/src"]);
    assert_eq!(links("[a](docs/A.md#part) [b](#here) [c](https://example.org)"), ["docs/A.md"]);
}
