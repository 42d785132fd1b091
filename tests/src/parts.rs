//! Where the built parts and the fixtures lie.

use std::path::{Path, PathBuf};

/// The checkout's root.
pub fn root() -> &'static Path {
    const CRATE: &str = env!("CARGO_MANIFEST_DIR");
    Path::new(CRATE).parent().unwrap_or(Path::new(CRATE))
}

pub fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}

/// A program of this workspace: where the variable says, else beside this very test's build.
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
