//! Mien's part of the user's cache folder: a fresh clone finds there what another one installed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub(super) fn folder() -> anyhow::Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from) {
        Some(folder) if folder.is_absolute() => folder,
        _ => {
            let home = std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
            PathBuf::from(home).join(".cache")
        }
    };
    Ok(cache.join("mien"))
}

/// Two runs at once would build everything twice: the second waits until the first drops the returned lock.
pub(super) fn lock(folder: &Path) -> anyhow::Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    let lock = File::create(folder.join("lock"))?;
    if lock.try_lock().is_err() {
        eprintln!("[setup] waiting for another setup to finish");
        lock.lock()?;
    }
    Ok(lock)
}
