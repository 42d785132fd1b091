//! The readers of messages against every kind of text: the examples of the contract, those examples with bytes
//! changed, cut and moved about, and noise.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its examples fails")]

mod checks;

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// The examples from which the fuzz targets start, too.
fn examples(target: &str) -> Vec<Vec<u8>> {
    let folder =
        Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let examples: Vec<_> = files.into_iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(!examples.is_empty());
    examples
}

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, Index),
    /// The end of another example after the beginning of this one.
    Cross(Index, Index, Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    // What JSON is made of, more often than not.
    let byte = prop_oneof![proptest::sample::select(b"{}[]\",:-+.eE0123456789ntfu\\ ".to_vec()), any::<u8>()];
    let piece = prop_oneof![
        proptest::collection::vec(byte.clone(), 1..6),
        proptest::sample::select(vec![
            &b"1e999"[..],
            b"null",
            b"-0",
            b"\"seq\":",
            b"[[[[",
            b"9007199254740992"
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        4 => (any::<Index>(), byte).prop_map(|(place, byte)| Change::Set(place, byte)),
        3 => (any::<Index>(), piece).prop_map(|(place, piece)| Change::Insert(place, piece)),
        2 => (any::<Index>(), 1..12_usize).prop_map(|(place, count)| Change::Remove(place, count)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
        1 => (any::<Index>(), any::<Index>(), any::<Index>())
            .prop_map(|(other, here, there)| Change::Cross(other, here, there)),
    ]
}

fn change(text: &mut Vec<u8>, change: Change, examples: &[Vec<u8>]) {
    // One past the end is a place, too.
    let place = |index: Index, text: &[u8]| index.index(text.len() + 1);
    match change {
        Change::Set(at, byte) => {
            let at = place(at, text);
            if let Some(old) = text.get_mut(at) {
                *old = byte;
            }
        }
        Change::Insert(at, piece) => {
            let at = place(at, text);
            text.splice(at..at, piece);
        }
        Change::Remove(at, count) => {
            let at = place(at, text);
            let end = text.len().min(at + count);
            text.drain(at..end);
        }
        Change::Repeat(from, to) => {
            let (from, to) = (place(from, text), place(to, text));
            let piece = text[from.min(to)..from.max(to)].to_vec();
            text.splice(to..to, piece);
        }
        Change::Cross(other, here, there) => {
            let other = other.get(examples);
            let (here, there) = (place(here, text), place(there, other));
            text.truncate(here);
            text.extend_from_slice(&other[there..]);
        }
    }
}

fn check(target: &str, example: Index, changes: Vec<Change>, check: fn(&str)) {
    let examples = examples(target);
    let mut text = example.get(&examples).clone();
    for one in changes {
        change(&mut text, one, &examples);
    }
    check(&String::from_utf8_lossy(&text));
}

#[test]
fn the_examples_are_read() {
    for text in examples("ingest_message") {
        checks::ingest(std::str::from_utf8(&text).unwrap());
    }
    for text in examples("watch_message") {
        checks::watch(std::str::from_utf8(&text).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn changed_examples_of_a_source(
        example: Index,
        changes in proptest::collection::vec(any_change(), 0..8),
    ) {
        check("ingest_message", example, changes, checks::ingest);
    }

    #[test]
    fn changed_examples_of_a_watcher(
        example: Index,
        changes in proptest::collection::vec(any_change(), 0..8),
    ) {
        check("watch_message", example, changes, checks::watch);
    }

    #[test]
    fn noise(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        checks::ingest(&text);
        checks::watch(&text);
    }
}
