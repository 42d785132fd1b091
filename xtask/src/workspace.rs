//! Where things lie in the checkout, and how its commands are called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout's root. Compiled in: an xtask belongs to the checkout that built it.
pub(crate) fn root() -> &'static Path {
    const CRATE: &str = env!("CARGO_MANIFEST_DIR");
    Path::new(CRATE).parent().unwrap_or(Path::new(CRATE))
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

/// A command that starts in the root.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The very Cargo that built this xtask.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
