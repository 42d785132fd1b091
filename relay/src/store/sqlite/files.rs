//! The database's files: made private before anything is in them, and checked before each write, and before its answer,
//! to be still the open ones.
//!
//! SQLite writes to the file that it opened, whatever the path names by then. If that file, or the log beside it, was
//! moved, replaced or deleted, the next start would find nothing of what is committed in the meantime. So each write
//! checks before it begins and before its caller is answered, which costs a `stat` of either file (a microsecond).
//!
//! Nothing here opens a file that SQLite has open: closing it again would drop SQLite's locks, because of how POSIX
//! locks work.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::error::{Result, StoreError};

/// Which file it is, regardless of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    #[cfg(unix)]
    fn of(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(path).map(|file| Self { device: file.dev(), inode: file.ino() })
    }

    /// Only that it exists.
    #[cfg(not(unix))]
    fn of(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|_| Self { device: 0, inode: 0 })
    }
}

/// How the database was found, before SQLite opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// There was nothing in it.
    New,
    /// There was something, and no log beside it.
    WithoutLog,
    WithLog,
}

/// Makes the file if there is none, only for its owner, and takes from others the access that an older relay left them.
/// SQLite gives its log and its index the mode of the database.
pub(super) fn prepare(path: &Path) -> io::Result<Before> {
    let log = beside(path, "-wal");
    match path.metadata() {
        Ok(file) => {
            for file in [path, &log, &beside(path, "-shm")] {
                keep_private(file);
            }
            Ok(match (file.len(), log.exists()) {
                (0, _) => Before::New,
                (_, true) => Before::WithLog,
                (_, false) => Before::WithoutLog,
            })
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => match create_private(path) {
            // Another relay may have been faster.
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(cause),
            _ => Ok(Before::New),
        },
        Err(cause) => Err(cause),
    }
}

/// An empty file that was not there before, only for its owner.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Leaves a file alone that others may not read anyway: then somebody has chosen what its group may do.
#[cfg(unix)]
fn keep_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(file) = path.metadata() else { return };
    let mode = file.permissions().mode();
    if mode.trailing_zeros() >= 3 {
        return;
    }
    let file = path.display();
    match std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o700)) {
        Ok(()) => {
            tracing::info!(%file, "everyone on this machine could read the file; now its owner alone can");
        }
        Err(cause) => tracing::warn!(%file, %cause, "everyone on this machine can read the file; forbid it"),
    }
}

#[cfg(not(unix))]
fn keep_private(_: &Path) {}

/// Where SQLite keeps the files that belong to a database: beside the file itself, not beside a link to it.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    name.push(suffix);
    name.into()
}

/// The files that are open. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    database: Identity,
    log_path: PathBuf,
    /// Identity of the log that the writer has open; `None` while there is no writer, as SQLite removes the log with
    /// its last connection.
    log: Mutex<Option<Identity>>,
    /// Whether it has been logged that they are elsewhere.
    told: AtomicBool,
}

impl Files {
    /// Call this when SQLite has just opened them.
    pub(super) fn opened(path: &Path) -> io::Result<Self> {
        let files = Self(Arc::new(Inner {
            path: path.to_owned(),
            database: Identity::of(path)?,
            log_path: beside(path, "-wal"),
            log: Mutex::default(),
            told: AtomicBool::default(),
        }));
        files.writer_opened();
        Ok(files)
    }

    /// The writer has read from the database, and so has its log open.
    pub(super) fn writer_opened(&self) {
        *self.log() = Identity::of(&self.0.log_path).ok();
    }

    pub(super) fn writer_closed(&self) {
        *self.log() = None;
    }

    /// Whether the paths still name them.
    pub(super) fn in_place(&self) -> Result<()> {
        let is_there = |path: &Path, file: Identity| Identity::of(path).is_ok_and(|there| there == file);
        let log = *self.log();
        let missing = if !is_there(&self.0.path, self.0.database) {
            &self.0.path
        } else if log.is_some_and(|log| !is_there(&self.0.log_path, log)) {
            &self.0.log_path
        } else {
            if self.0.told.load(Ordering::Relaxed) && self.0.told.swap(false, Ordering::Relaxed) {
                tracing::info!(file = %self.0.path.display(), "the database's files are back");
            }
            return Ok(());
        };
        let cause = StoreError::Moved(missing.clone());
        // Once, not each time that someone asks.
        if !self.0.told.swap(true, Ordering::Relaxed) {
            tracing::error!("{cause}");
        }
        Err(cause)
    }

    fn log(&self) -> MutexGuard<'_, Option<Identity>> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
