//! The token secret that open mode makes for itself and keeps beside the database, readable by its owner
//! alone, so that tokens outlive a restart.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mien_shared::limits::MIN_SECRET_BYTES;

use crate::config::{ConfigError, Secret};
use crate::store;

const FILE_NAME: &str = "mien.secret";

/// Reads the secret beside the database, or makes it. A database in memory gets one that is not kept.
pub fn kept_beside(database_url: &str) -> Result<Secret, ConfigError> {
    let Some(database) = store::file_of(database_url) else {
        return fresh()
            .map(Secret::new)
            .map_err(|cause| ConfigError::SecretFile { path: PathBuf::new(), cause });
    };
    let path = database.with_file_name(FILE_NAME);
    read_or_make(&path).map_err(|cause| ConfigError::SecretFile { path, cause })
}

fn read_or_make(path: &Path) -> io::Result<Secret> {
    match std::fs::read(path) {
        Ok(bytes) if bytes.len() >= MIN_SECRET_BYTES => return Ok(Secret::new(bytes)),
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too short; delete it")),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(cause),
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let bytes = fresh()?;
    // Written aside and linked into place: whoever starts at the same time sees all of it or nothing, and
    // the first one wins.
    let aside = path.with_extension(format!("secret.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(&aside).and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()));
    let linked = written.and_then(|()| std::fs::hard_link(&aside, path));
    let removed = std::fs::remove_file(&aside);
    match linked {
        Ok(()) => removed.map(|()| Secret::new(bytes)),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => std::fs::read(path).map(Secret::new),
        Err(cause) => Err(cause),
    }
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
}
