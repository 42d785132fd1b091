//! Builds the page into `dist/`, when anything it is made of has changed.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;

use crate::inputs::Fingerprint;
use crate::tools::{self, Toolbox};
use crate::{process, workspace};

/// All that goes into the page.
const INPUTS: [&str; 17] = [
    "index.html",
    "Trunk.toml",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "rust-toolchain.toml",
    "web/app",
    "web/engine",
    "web/messages",
    "web/worker",
    "models/Cargo.toml",
    "models/src",
    "models/weights",
    "shared/Cargo.toml",
    "shared/src",
    "xtask/src/finish.rs",
    "xtask/src/names.rs",
];

/// Trunk empties `dist/`, so the mark of what it holds lies beside Cargo's output.
fn mark() -> PathBuf {
    workspace::target().join("page.fingerprint")
}

pub(crate) fn build(toolbox: &Toolbox) -> anyhow::Result<()> {
    // Two of Trunk in one `dist/` sweep away each other's files.
    let lock = File::create(workspace::target().join("page.lock"))?;
    lock.lock()?;
    if fs::read_to_string(mark()).is_ok_and(|known| fingerprint().is_ok_and(|now| now == known)) {
        return Ok(());
    }
    eprintln!("[page] building with Trunk");
    let begun = Instant::now();
    // Should the build break off, `dist/` is no longer what the mark says.
    let _ = fs::remove_file(mark());
    let mut trunk = toolbox.command(toolbox.program(tools::TRUNK, "trunk"))?;
    trunk.args(["build", "--release", "--log", "warn"]);
    without_color_trap(&mut trunk);
    process::succeed(&mut trunk)?;
    fs::write(mark(), fingerprint()?).with_context(|| format!("could not write {}", mark().display()))?;
    eprintln!("[page] built in {} s", begun.elapsed().as_secs());
    Ok(())
}

/// Trunk 0.21 takes `NO_COLOR` for an option of its own and refuses every value but true and false.
pub(crate) fn without_color_trap(trunk: &mut Command) {
    trunk.env_remove("NO_COLOR");
}

/// Of the inputs and of the output: a `dist/` that someone else built or emptied is built again.
fn fingerprint() -> anyhow::Result<String> {
    let mut fingerprint = Fingerprint::default();
    let rustc = process::text(Command::new("rustc").arg("-vV").current_dir(workspace::root()));
    fingerprint.text(&rustc.context("`rustc -vV` failed")?);
    for path in INPUTS {
        fingerprint.text(path);
        fingerprint.path(&workspace::root().join(path))?;
    }
    fingerprint.text("dist");
    fingerprint.path(&workspace::dist())?;
    Ok(fingerprint.finish())
}
