//! Programs that come as Python packages, with one virtual environment for each list of packages.
//!
//! The environment lives in the user's cache folder under a hash of what it is made of, like the tools that are built
//! with cargo, so that a fresh clone finds it and two checkouts with different pins do not disturb each other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;

use super::{apt, cache};
use crate::files::Fingerprint;
use crate::{process, workspace};

/// Written last: an environment without it was never finished.
const FINISHED: &str = "finished";
/// Digits of the fingerprint in the folder's name.
const NAME_DIGITS: usize = 16;

/// The environment.
#[derive(Debug)]
pub(crate) struct Python {
    folder: PathBuf,
}

impl Python {
    /// A command from the environment, run in the root.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = workspace::command(self.folder.join("bin").join(program));
        // Running it must not change anything in the checkout.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
        command
    }
}

/// Makes sure that an environment with these packages exists. Instant if it does.
pub(crate) fn ensure(requirements: &Path) -> anyhow::Result<Python> {
    apt::ensure_python()?;
    let mut fingerprint = Fingerprint::default();
    fingerprint.path(requirements)?;
    // Packages are compiled for one version of Python, and live in the environment which that version created.
    let version =
        process::text(Command::new("python3").args(["-c", "import sys; print(sys.version, sys.prefix)"]));
    fingerprint.text(&version.context("`python3` does not say its version")?);
    let cache = cache::folder()?.join("tools");
    let folder = cache.join(format!("python-{}", &fingerprint.finish()[..NAME_DIGITS]));
    if !folder.join(FINISHED).is_file() {
        let _lock = cache::lock(&cache)?;
        if !folder.join(FINISHED).is_file() {
            make(&folder, requirements)?;
        }
    }
    Ok(Python { folder })
}

fn make(folder: &Path, requirements: &Path) -> anyhow::Result<()> {
    eprintln!("[setup] making a Python environment in {} (once; about 1 min)", folder.display());
    let begun = Instant::now();
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    process::succeed(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    process::succeed(
        Command::new(folder.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
            .arg(requirements),
    )?;
    fs::write(folder.join(FINISHED), "")?;
    eprintln!("[setup] Python took {} s", begun.elapsed().as_secs());
    Ok(())
}
