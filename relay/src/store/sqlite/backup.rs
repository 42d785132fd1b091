//! A copy of the database, made while a relay is using it.
//!
//! Uses `VACUUM INTO` on a connection of its own: it reads one snapshot, so the copy is consistent however much is
//! committed meanwhile, blocks no commit, and is one file without a log, in order and without free pages. SQLite's
//! alternative, its backup interface, starts over each time that another process commits, so under load it may never
//! finish; and sqlx does not expose it. While it reads, the log cannot be truncated, and grows.

use std::io;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::connections::SqliteStore;
use super::files::create_private;
use super::open::{APPLICATION_ID, BUSY_TIMEOUT, application_id, explain, named_file, unusable};
use crate::store::error::{Result, StoreError};

impl SqliteStore {
    /// Copies the database to a new file that only its owner can read, and returns its size in bytes.
    pub async fn backup(url: &str, to: &Path) -> Result<u64> {
        let path = named_file(url)?;
        if !path.exists() {
            return Err(StoreError::Unusable(format!("there is no database {}", path.display())));
        }
        let to = std::path::absolute(to).map_err(|cause| cannot_be_made(to, &cause))?;
        if to.symlink_metadata().is_ok() {
            return Err(StoreError::Unusable(format!(
                "{} is there already, and nothing is written over; name another file",
                to.display()
            )));
        }
        // Under another name until it is complete: a copy that was cut short is never taken for a whole one.
        let part = Part::make(&to).map_err(|cause| cannot_be_made(&to, &cause))?;
        copy(&path, &part.0).await?;
        part.keep(&to).map_err(|cause| cannot_be_made(&to, &cause))
    }
}

async fn copy(path: &Path, to: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT);
    let mut reader = options.connect().await.map_err(|cause| explain(path, cause))?;
    if application_id(path, &mut reader).await? != APPLICATION_ID {
        return Err(unusable(path, "it is no database of Mien's"));
    }
    let incremental: i64 = sqlx::query_scalar("PRAGMA auto_vacuum").fetch_one(&mut reader).await?;
    if incremental == 0 {
        // For a database of an older relay: changes nothing in it, and the copy can give space back from then on.
        sqlx::query("PRAGMA auto_vacuum = INCREMENTAL").execute(&mut reader).await?;
    }
    let name = to.to_str().ok_or_else(|| {
        StoreError::Unusable(format!("{} is no name that SQLite can read; name another file", to.display()))
    })?;
    sqlx::query("VACUUM INTO ?").bind(name).execute(&mut reader).await.map_err(
        |cause| match StoreError::from(cause) {
            full @ StoreError::Full(_) => full,
            cause => StoreError::Unusable(format!("the copy {} cannot be made: {cause}", to.display())),
        },
    )?;
    let _ = reader.close().await;
    Ok(())
}

/// A file that is deleted unless it is kept.
struct Part(PathBuf);

impl Part {
    fn make(to: &Path) -> io::Result<Self> {
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let part = Self(to.with_file_name(name));
        create_private(&part.0)?;
        Ok(part)
    }

    fn keep(self, to: &Path) -> io::Result<u64> {
        let file = std::fs::File::open(&self.0)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        std::fs::rename(&self.0, to)?;
        // The name must survive a power cut, too; if folders cannot be synced, it has to do without.
        if let Some(folder) = to.parent() {
            let _ = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(bytes)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Already gone if it was kept.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn cannot_be_made(to: &Path, cause: &io::Error) -> StoreError {
    StoreError::Unusable(format!("the copy {} cannot be made: {cause}", to.display()))
}
