//! The token secret that open mode generates and keeps beside the database, readable only by its owner, so that tokens
//! survive a restart.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mien_shared::limits::MIN_SECRET_BYTES;

use super::database::file_of;
use super::error::ConfigError;
use super::secret::Secret;

const FILE_NAME: &str = "mien.secret";

/// Reads the secret beside the database, or makes it. A database in memory gets one that is not kept.
pub(super) fn kept_beside(database_url: &str) -> Result<Secret, ConfigError> {
    let Some(database) = file_of(database_url) else {
        return fresh()
            .map(Secret::new)
            .map_err(|cause| ConfigError::SecretFile { path: PathBuf::new(), cause });
    };
    let path = database.with_file_name(FILE_NAME);
    read_or_make(&path).map_err(|cause| ConfigError::SecretFile { path, cause })
}

/// For how long a secret that is too short may be one that another relay is still writing.
const WRITING: Duration = Duration::from_secs(1);
/// Between two reads of it.
const LOOK: Duration = Duration::from_millis(10);

fn read_or_make(path: &Path) -> io::Result<Secret> {
    match read(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    make(path, |from, to| std::fs::hard_link(from, to))
}

fn read(path: &Path) -> io::Result<Secret> {
    let begun = Instant::now();
    loop {
        let bytes = std::fs::read(path)?;
        if bytes.len() >= MIN_SECRET_BYTES {
            return Ok(Secret::new(bytes));
        }
        if begun.elapsed() > WRITING {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too short; delete it"));
        }
        std::thread::sleep(LOOK);
    }
}

fn make(path: &Path, link: impl Fn(&Path, &Path) -> io::Result<()>) -> io::Result<Secret> {
    let bytes = fresh()?;
    // Written to another file and linked into place: a relay that starts at the same time sees all of it or nothing,
    // and the first one wins.
    let aside = path.with_extension(format!("secret.{}", std::process::id()));
    let linked = write_new(&aside, &bytes).and_then(|()| link(&aside, path));
    let removed = std::fs::remove_file(&aside);
    let made = match linked {
        Err(cause) if forbids_links(&cause) => write_new(path, &bytes),
        linked => linked.and(removed),
    };
    match made {
        Ok(()) => Ok(Secret::new(bytes)),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => read(path),
        Err(cause) => Err(cause),
    }
}

/// Network folders, FAT and many user-space file systems have no hard links. There the file is created in place, which
/// only the first relay can do; one that reads it meanwhile sees it grow, and waits.
fn forbids_links(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::Unsupported
            | io::ErrorKind::CrossesDevices
            | io::ErrorKind::TooManyLinks
    )
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a secret would keep the next start from generating one.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// As text, so that a person can copy it into `MIEN_TOKEN_SECRET`: 32 random bytes in hex.
fn fresh() -> io::Result<Vec<u8>> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(random.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/data/mien.db", folder.path().display());
        let first = kept_beside(&url).unwrap();
        assert_eq!(first.bytes().len(), 64);
        assert_eq!(kept_beside(&url).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = folder.path().join("data/mien.secret").metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(folder.path().join("data/mien.secret"), "short").unwrap();
        assert!(kept_beside(&url).is_err());
    }

    #[test]
    fn where_hard_links_are_forbidden_it_is_made_in_its_place() {
        // EPERM of FAT and of a folder that protects links, EOPNOTSUPP of SMB, ENOSYS of FUSE, EXDEV of an overlay.
        for number in [1, 95, 38, 18] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(FILE_NAME);
            let forbidden = |_: &Path, _: &Path| Err(io::Error::from_raw_os_error(number));
            let first = make(&path, forbidden).unwrap_or_else(|cause| panic!("{number}: {cause}"));
            assert_eq!(read_or_make(&path).unwrap(), first);
            assert_eq!(make(&path, forbidden).unwrap(), first, "the first one wins");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let full = |_: &Path, _: &Path| Err(io::Error::from_raw_os_error(28));
        assert!(make(&folder.path().join(FILE_NAME), full).is_err(), "any other reason stands");
    }

    #[test]
    fn a_secret_that_is_being_written_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, "").unwrap();
        let secret = "0123456789abcdef0123456789abcdef";
        let writer = std::thread::spawn({
            let path = path.clone();
            move || std::fs::write(path, secret).unwrap()
        });
        assert_eq!(read_or_make(&path).unwrap().bytes(), secret.as_bytes());
        writer.join().unwrap();
    }
}
