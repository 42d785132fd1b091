//! Which files to look at: those named, and the pictures below named folders, sorted by name. What is left out of a
//! folder is reported.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use mien_models::picture::{Kind, promised};

use crate::name;

#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) pictures: Vec<PathBuf>,
    pub(crate) left_out: LeftOut,
    /// One message for each path that could not be walked.
    pub(crate) faults: Vec<String>,
}

/// Why something in a folder is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Unsupported(&'static str),
    NoPicture,
    Hidden,
    /// A pipe, a socket, a device: reading one might never end.
    Special,
}

/// What folders hold besides pictures that are read.
#[derive(Debug, Default)]
pub(crate) struct LeftOut(BTreeMap<Reason, Alike>);

/// Files that are left out for one reason.
#[derive(Debug, Default)]
struct Alike {
    count: usize,
    /// The first ones: enough to see what kind of files they are.
    first: Vec<PathBuf>,
}

/// How many are named.
const SHOWN: usize = 5;

impl LeftOut {
    fn add(&mut self, reason: Reason, path: PathBuf) {
        let alike = self.0.entry(reason).or_default();
        alike.count += 1;
        if alike.first.len() < SHOWN {
            alike.first.push(path);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.values().map(|alike| alike.count).sum()
    }

    /// One line per reason, with how many and which.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(reason, alike)| {
            let count = alike.count;
            format!("left out {count} {}: {alike}", reason.of(count))
        })
    }
}

impl Reason {
    fn of(self, count: usize) -> String {
        let plural = |one: &str, many: &str| (if count == 1 { one } else { many }).to_owned();
        match self {
            Self::Unsupported(kind) => {
                format!(
                    "{kind} {}",
                    plural("picture, a kind that is not supported", "pictures, a kind that is not supported")
                )
            }
            Self::NoPicture => plural("file that is no picture", "files that are no pictures"),
            Self::Hidden => plural("that is hidden", "that are hidden"),
            Self::Special => plural("that is neither file nor folder", "that are neither files nor folders"),
        }
    }
}

impl fmt::Display for Alike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, path) in self.first.iter().enumerate() {
            write!(f, "{}{}", if place == 0 { "" } else { ", " }, name::shown(path))?;
        }
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// A file that is named explicitly is taken whatever it is called: the decoder finds out what it is.
pub(crate) fn collect(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        // What is named twice is read twice, whether file or folder.
        let mut walked = HashSet::new();
        if path.is_dir() { walk(path, &mut found, &mut walked) } else { found.pictures.push(path.clone()) }
    }
    found
}

/// `walked` holds the canonical paths of folders, so that a link to a parent folder does not loop for ever.
fn walk(folder: &Path, found: &mut Found, walked: &mut HashSet<PathBuf>) {
    let listed = folder.canonicalize().and_then(|name| {
        if !walked.insert(name) {
            return Ok(Vec::new());
        }
        folder.read_dir()?.map(|entry| Ok(entry?.path())).collect()
    });
    let mut entries: Vec<PathBuf> = match listed {
        Ok(entries) => entries,
        Err(fault) => return found.faults.push(format!("{}: {fault}", name::shown(folder))),
    };
    entries.sort();
    for entry in entries {
        // Follows links: what counts is what they point to.
        match entry.metadata() {
            _ if is_hidden(&entry) => found.left_out.add(Reason::Hidden, entry),
            Ok(data) if data.is_dir() => walk(&entry, found, walked),
            Ok(data) if !data.is_file() => found.left_out.add(Reason::Special, entry),
            Ok(_) => sort_in(entry, found),
            Err(fault) => found.faults.push(format!("{}: cannot be opened: {fault}", name::shown(&entry))),
        }
    }
}

/// A file whose name promises a picture is tried, so that an error is reported for that file alone.
fn sort_in(file: PathBuf, found: &mut Found) {
    match Kind::of_file(&file) {
        Ok(Kind::Unsupported(kind)) => found.left_out.add(Reason::Unsupported(kind), file),
        Ok(kind) if kind.is_certain() || promised(&file).is_some() => found.pictures.push(file),
        Ok(_) => found.left_out.add(Reason::NoPicture, file),
        Err(fault) => found.faults.push(format!("{}: cannot be opened: {fault}", name::shown(&file))),
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}
