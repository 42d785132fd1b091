//! Builds the page into `dist/`, if anything that it is made of has changed.
//!
//! Takes the same steps as Trunk would, without Trunk, which takes longer to install than the page takes to build.
//! `trunk serve` and `cargo xtask dev` read the same `index.html` and `Trunk.toml`.

mod assembly;
pub(crate) mod finish;
mod links;
pub(crate) mod modules;
pub(crate) mod wasm_names;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;

use crate::files::{self, Fingerprint};
use crate::{process, workspace};

/// Everything that goes into the page.
const INPUTS: [&str; 18] = [
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
    "models/build.rs",
    "models/src",
    "models/weights",
    "shared/Cargo.toml",
    "shared/src",
    "xtask/bindgen",
    "xtask/src/page",
];

/// Kept with Cargo's output: the record of whether the page is up to date is not part of the page.
fn mark() -> PathBuf {
    workspace::target().join("page.fingerprint")
}

pub(crate) fn build() -> anyhow::Result<()> {
    fs::create_dir_all(workspace::target())?;
    // Two builds at once would delete each other's files.
    let lock = File::create(workspace::target().join("page.lock"))?;
    lock.lock()?;
    if is_built() {
        return Ok(());
    }
    eprintln!("[page] building");
    let begun = Instant::now();
    // If the build is interrupted, `dist/` is no longer what the mark says.
    let _ = fs::remove_file(mark());
    let root = workspace::root();
    let index = root.join("index.html");
    let html = fs::read_to_string(&index).with_context(|| format!("could not read {}", index.display()))?;
    let modules = assembly::modules(root, &links::links(&html)?)?;
    modules::build_bindgen()?;
    for module in &modules {
        modules::compile(&module.package)?;
    }

    // A page that fails to build leaves the previous one in place.
    let staging = workspace::target().join("page");
    remove(&staging)?;
    fs::create_dir_all(&staging)?;
    assembly::bind(&modules, &staging)?;
    assembly::assemble(root, &html, &modules, &staging)?;
    finish::finish(&staging, None)?;
    publish(&staging).with_context(|| format!("could not write {}", workspace::dist().display()))?;

    fs::write(mark(), fingerprint()?).with_context(|| format!("could not write {}", mark().display()))?;
    eprintln!("[page] built in {} s", begun.elapsed().as_secs());
    Ok(())
}

/// Whether `dist/` holds the page built from the current sources.
pub(crate) fn is_built() -> bool {
    fs::read_to_string(mark()).is_ok_and(|known| fingerprint().is_ok_and(|now| now == known))
}

/// Covers inputs and output: a `dist/` that someone else built or emptied is built again.
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

/// Replaces the previous page with the finished one.
fn publish(staging: &Path) -> anyhow::Result<()> {
    let dist = workspace::dist();
    remove(&dist)?;
    for file in files::below(staging)? {
        let to = dist.join(&file);
        fs::create_dir_all(to.parent().unwrap_or(&dist))?;
        // Not by renaming: Cargo's output may be on another disk.
        fs::copy(staging.join(&file), to)?;
    }
    Ok(())
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}
