//! Where the built parts and the fixtures are.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Looked up when a test runs: in a copied checkout, a compiled-in path would be that of the original.
static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
    let start = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let start = start.unwrap_or_else(|| std::env::current_dir().expect("a folder to start in"));
    find(&start).unwrap_or_else(|| panic!("{} is in no checkout of Mien", start.display()))
});

/// The nearest folder at or above `start` that holds the fixtures.
fn find(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| folder.join("tests/fixtures").is_dir()).map(Path::to_owned)
}

/// The checkout's root.
pub fn root() -> &'static Path {
    &ROOT
}

pub fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}

/// A program of this workspace: the one that the variable names, or else the one beside this test's own build.
pub fn program(variable: &str, name: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(
        || {
            let target =
                std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
            target.join("release").join(name)
        },
        PathBuf::from,
    );
    assert!(path.is_file(), "{} is not built; run the tests through `cargo xtask test`", path.display());
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_checkout_tests_itself() {
        let place = tempfile::tempdir().expect("a folder");
        let copy = place.path().join("copy");
        std::fs::create_dir_all(copy.join("tests/fixtures")).expect("a copy");
        for start in ["", "tests", "tests/kit"] {
            assert_eq!(find(&copy.join(start)).as_deref(), Some(&*copy), "{start}");
        }
        assert_eq!(find(place.path()), None);
        assert!(root().join("tests/kit/src/parts.rs").is_file());
    }
}
