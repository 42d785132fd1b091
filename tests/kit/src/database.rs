//! An empty database that outlives the relays on it.

use std::path::Path;

use mien_servers::Postgres;
use tempfile::TempDir;

/// SQLite in a folder of its own, or Postgres if the suite is run with `MIEN_TESTS_OVER=postgres`. Gone when dropped.
#[derive(Debug)]
pub struct Database {
    url: String,
    _folder: Option<TempDir>,
    /// Its own server, if it has one.
    _server: Option<Postgres>,
}

impl Database {
    /// On the server that all tests of this process share.
    pub fn asked_for() -> Self {
        match Postgres::asked_for() {
            Some(server) => Self { url: server.database(), _folder: None, _server: None },
            None => Self::sqlite(),
        }
    }

    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the database");
        let url = sqlite_url(&folder.path().join("mien.db"));
        Self { url, _folder: Some(folder), _server: None }
    }

    /// On a server of its own; `None` if there is no Postgres, which skips the test.
    #[track_caller]
    pub fn postgres() -> Option<Self> {
        let server = postgres()?;
        Some(Self { url: server.database(), _folder: None, _server: Some(server) })
    }

    /// One that somebody else owns and keeps alive.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), _folder: None, _server: None }
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A server that leaves the disk to the kernel: what these tests kill are processes, and a machine that builds
/// and tests other things at the same time takes seconds to sync. `None` where there is no Postgres.
#[track_caller]
pub fn postgres() -> Option<Postgres> {
    let server = Postgres::if_present()?;
    let url = server.url("postgres");
    server.sql(&url, "ALTER SYSTEM SET fsync = off");
    server.sql(&url, "SELECT pg_reload_conf()");
    Some(server)
}

pub(crate) fn sqlite_url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}
