//! What the models' code reads against every kind of input: examples with bytes changed and cut, and noise.
#![cfg(not(target_arch = "wasm32"))]
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

#[test]
fn the_examples_are_read() {
    for bytes in examples("picture_file") {
        checks::picture(&bytes);
        assert!(mien_models::picture::decode_within(&bytes, 1 << 20).is_ok(), "{bytes:?}");
    }
    for text in examples("manifest") {
        checks::manifest(std::str::from_utf8(&text).unwrap());
    }
}

/// Examples with a few bytes changed, and perhaps cut.
fn changed(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let examples = examples(target);
    let changes = proptest::collection::vec((any::<Index>(), any::<u8>()), 0..6);
    (any::<Index>(), changes, proptest::option::of(any::<Index>())).prop_map(
        move |(example, changes, cut)| {
            let mut bytes = example.get(&examples).clone();
            for (place, byte) in changes {
                *place.get_mut(&mut bytes) = byte;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn boxes_of_any_network(bytes in proptest::collection::vec(any::<u8>(), 0..360)) {
        checks::boxes(&bytes);
    }

    #[test]
    fn boxes_that_lie_about_one_place(
        boxes in proptest::collection::vec((0..40_u16, 0..3_000_i16, prop::array::uniform16(-1_500..1_500_i16)), 0..12),
    ) {
        let mut bytes = Vec::new();
        for (anchor, logit, numbers) in boxes {
            bytes.extend(anchor.to_le_bytes());
            bytes.extend(logit.to_le_bytes());
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
        checks::boxes(&bytes);
    }

    #[test]
    fn crops_at_any_place(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        checks::crops(&bytes);
    }

    #[test]
    fn changed_pictures(bytes in changed("picture_file")) {
        checks::picture(&bytes);
    }

    #[test]
    fn changed_manifests(bytes in changed("manifest")) {
        checks::manifest(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn noise(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        checks::picture(&bytes);
        checks::manifest(&String::from_utf8_lossy(&bytes));
    }
}
