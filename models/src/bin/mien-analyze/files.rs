//! Which files to look at: those named, and the pictures below folders in order of name.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

const PICTURE_ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) pictures: Vec<PathBuf>,
    /// One text for each path that could not be walked.
    pub(crate) faults: Vec<String>,
}

/// A file that is named is taken whatever its ending: the decoder says what it is.
pub(crate) fn collect(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let mut walked = HashSet::new();
    for path in paths {
        if path.is_dir() { walk(path, &mut found, &mut walked) } else { found.pictures.push(path.clone()) }
    }
    found
}

/// `walked` holds the true names of folders, so that a link to a folder above ends instead of going round.
fn walk(folder: &Path, found: &mut Found, walked: &mut HashSet<PathBuf>) {
    let listed = folder.canonicalize().and_then(|name| {
        if !walked.insert(name) {
            return Ok(Vec::new());
        }
        folder.read_dir()?.map(|entry| Ok(entry?.path())).collect()
    });
    let mut entries: Vec<PathBuf> = match listed {
        Ok(entries) => entries,
        Err(fault) => return found.faults.push(format!("{}: {fault}", folder.display())),
    };
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            walk(&entry, found, walked);
        } else if is_picture(&entry) {
            found.pictures.push(entry);
        }
    }
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| PICTURE_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}
