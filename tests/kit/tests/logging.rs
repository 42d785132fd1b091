//! docs/LOGGING.md lists the spans and fields in the relay's code, and the libraries whose logging it restricts.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::Path;

use mien_kit::parts;

/// An event or a span in the code.
struct Call {
    is_span: bool,
    arguments: Vec<String>,
}

fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            sources(&entry.path(), texts);
        } else if entry.path().extension().is_some_and(|end| end == "rs") {
            texts.push(std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// Splits at commas outside of brackets and strings, up to the bracket that closes the call.
fn arguments(rest: &str) -> Vec<String> {
    let (mut depth, mut in_text, mut escaped) = (0, false, false);
    let mut parts = vec![String::new()];
    for letter in rest.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            _ if in_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(letter);
    }
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn calls(text: &str) -> Vec<Call> {
    let mut found = Vec::new();
    for rest in text.split("tracing::").skip(1) {
        let Some((name, rest)) = rest.split_once("!(") else { continue };
        let (level, is_span) = name.strip_suffix("_span").map_or((name, false), |level| (level, true));
        if ["error", "warn", "info", "debug", "trace"].contains(&level) {
            found.push(Call { is_span, arguments: arguments(rest) });
        }
    }
    found
}

/// `cause` of `%cause`, `file` of `file = %path`; none for a message or for arguments of the macro itself.
fn field(argument: &str) -> Option<String> {
    let name = argument.split_once('=').map_or(argument, |(name, _)| name);
    let name = name.trim().trim_start_matches(['%', '?']);
    let plain = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
    plain.then(|| name.to_owned())
}

/// The first cells of the table under this heading.
fn listed(document: &str, heading: &str) -> BTreeSet<String> {
    let part = document.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let part = part.split("\n## ").next().unwrap();
    let cells = part.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    cells.map(str::to_owned).collect()
}

#[test]
fn spans_and_fields_are_those_of_the_code() {
    let document = std::fs::read_to_string(parts::root().join("docs/LOGGING.md")).unwrap();
    let mut texts = Vec::new();
    sources(&parts::root().join("relay/src"), &mut texts);
    let (mut spans, mut fields) = (BTreeSet::new(), BTreeSet::new());
    for call in texts.iter().flat_map(|text| calls(text)) {
        fields.extend(call.arguments.iter().filter_map(|argument| field(argument)));
        let name = call.arguments.iter().find(|argument| argument.starts_with('"'));
        spans.extend(name.filter(|_| call.is_span).map(|name| name.trim_matches('"').to_owned()));
    }
    assert_eq!(spans, listed(&document, "Spans"));
    assert_eq!(fields, listed(&document, "Fields"));
}

#[test]
fn libraries_that_are_held_back_are_named() {
    let document = std::fs::read_to_string(parts::root().join("docs/LOGGING.md")).unwrap();
    let mut texts = Vec::new();
    sources(&parts::root().join("relay/src"), &mut texts);
    let limits = texts.iter().find_map(|text| text.split("const LESS: ").nth(1)).unwrap();
    let limits = limits.split("];").next().unwrap();
    let libraries: Vec<&str> =
        limits.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next()).collect();
    assert!(!libraries.is_empty());
    for library in libraries {
        assert!(document.contains(&format!("`{library}`")), "{library}");
    }
}

#[test]
fn calls_are_read() {
    let text = r#"tracing::warn!(a, %b, c = f(1, "x, y"), ?self.d, "{e}, told"); tracing::debug_span!(parent: None, "s", g);"#;
    let [event, span] = &calls(text)[..] else { panic!() };
    let names = |call: &Call| call.arguments.iter().filter_map(|one| field(one)).collect::<Vec<_>>();
    assert_eq!((names(event), event.is_span), (vec!["a".into(), "b".into(), "c".into()], false));
    assert_eq!((names(span), span.is_span), (vec!["g".to_owned()], true));
}
