//! Opening: create, recognise, migrate, or say why not.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::Mutex;

use super::connections::SqliteStore;
use super::files::{self, Before, Files};
use super::trial;
use super::unclean::Unclean;
use super::write::open_wal;
use crate::config::{Quota, file_of};
use crate::store::backend::LIFETIME;
use crate::store::embedded;
use crate::store::error::{Result, StoreError};
use crate::store::migrate::{self, is_older};

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(embedded::sqlite);
/// The table that lists them, by sqlx's own name.
const MIGRATIONS: &str = "_sqlx_migrations";

/// `MIEN` in the file's header: whose database this is.
pub(super) const APPLICATION_ID: i32 = 0x4D49_454E;
/// `SQLITE_NOTADB`.
const NOT_A_DATABASE: &str = "26";
/// Time to wait for another process that writes, such as a relay that is shutting down.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for getting a reader when all are busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Readers per processor: each is a thread with a cache, and while one waits for the disk another can work. More of
/// them would only wait for each other.
const READERS_A_PROCESSOR: u32 = 2;
/// On a machine with fewer processors than that: long reads (two for a series, one for each export) leave some over.
const MIN_READERS: u32 = 4;
/// A reader that was idle for this long is closed.
const READER_IDLE: Duration = Duration::from_secs(30);
/// KiB of pages that a reader caches (negative, as SQLite requires). The default is four times that; what readers read
/// is in the system's cache anyway.
const READER_CACHE: &str = "-512";
/// The same for the writer, which holds the pages of a commit until it is done.
const WRITER_CACHE: &str = "-2000";

impl SqliteStore {
    /// Changes nothing.
    pub async fn awaits_migration(url: &str) -> Result<bool> {
        let path = named_file(url)?;
        if !path.exists() {
            return Ok(false);
        }
        let options = SqliteConnectOptions::new().filename(&path).busy_timeout(BUSY_TIMEOUT);
        let mut reader = options.connect().await.map_err(|cause| explain(&path, cause))?;
        // For any other, `open` reports what is wrong.
        let awaits = application_id(&path, &mut reader).await? == APPLICATION_ID
            && is_older(&MIGRATOR, MIGRATIONS, &mut reader)
                .await
                .map_err(|cause| explain_migration(&path, cause))?;
        let _ = reader.close().await;
        Ok(awaits)
    }

    pub async fn open(url: &str, max_connections: u32, pool_wait: Histogram) -> Result<Self> {
        let path = named_file(url)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|cause| unusable(&path, &format!("its folder cannot be made ({cause})")))?;
        }
        let before = files::prepare(&path).map_err(|cause| {
            unusable(&path, &format!("it cannot be made ({cause}); check that its folder can be written"))
        })?;
        let base = SqliteConnectOptions::new()
            .filename(&path)
            .busy_timeout(BUSY_TIMEOUT)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: the log is on the disk before a commit returns, so an ack survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            // Erased means gone, not merely unlisted.
            .pragma("secure_delete", "on");
        // Never created: the file exists, and if it is removed in the meantime, an empty one must not replace it.
        let options = base.clone().pragma("cache_size", WRITER_CACHE).pragma("temp_store", "memory");
        let first = match before {
            // Can only be chosen before there is a table: SQLite then records which page refers to which, so that free
            // pages can be given back.
            Before::New => options.clone().auto_vacuum(SqliteAutoVacuum::Incremental),
            Before::WithLog | Before::WithoutLog => options.clone(),
        };
        let mut writer = first.connect().await.map_err(|cause| explain(&path, cause))?;
        recognise(&path, before, &mut writer).await?;
        MIGRATOR
            .run_direct(None, &mut writer, false)
            .await
            .map_err(|cause| explain_migration(&path, cause))?;
        open_wal(&mut writer).await?;
        let files = Files::opened(&path).map_err(|cause| unusable(&path, &cause.to_string()))?;
        try_to_write(&path, &mut writer).await?;
        let unclean = Arc::<Unclean>::default();
        if before != Before::New {
            // The previous process may have erased something just before it ended.
            unclean.mark();
        }
        let in_place = files.clone();
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
        let readers = SqlitePoolOptions::new()
            .max_connections(max_readers(processors, max_connections))
            .min_connections(1)
            .max_lifetime(LIFETIME)
            .idle_timeout(READER_IDLE)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(move |_, _| {
                let in_place = in_place.in_place();
                // The file that was opened may have been another one.
                Box::pin(async move { in_place.map_err(|cause| sqlx::Error::Configuration(cause.into())) })
            })
            .connect_with(base.pragma("query_only", "on").pragma("cache_size", READER_CACHE))
            .await?;
        Ok(Self {
            readers,
            writer: Arc::new(Mutex::new(Some(writer))),
            options: Arc::new(options),
            files,
            unclean,
            pool_wait,
            quota: Quota::default(),
        })
    }
}

/// One of the connections is reserved for the writer.
fn max_readers(processors: u32, max_connections: u32) -> u32 {
    let useful = processors.saturating_mul(READERS_A_PROCESSOR).max(MIN_READERS);
    useful.min(max_connections.saturating_sub(1)).max(1)
}

pub(super) fn named_file(url: &str) -> Result<PathBuf> {
    file_of(url).ok_or_else(|| {
        StoreError::Unusable(
            "a database in memory would lose samples that were acked; name a file, as in sqlite:mien.db"
                .into(),
        )
    })
}

pub(super) async fn application_id(path: &Path, connection: &mut SqliteConnection) -> Result<i32> {
    sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(connection)
        .await
        .map_err(|cause| explain(path, cause))
}

/// Refuses a database that someone else made; marks a new one as ours.
async fn recognise(path: &Path, before: Before, writer: &mut SqliteConnection) -> Result<()> {
    let id = application_id(path, writer).await?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master").fetch_one(&mut *writer).await?;
    if tables == 0 && before == Before::WithoutLog {
        return Err(unusable(
            path,
            "it has no tables, as a copy that was made without its -wal file; copy with `mien-relay backup`, or take it away for a new database",
        ));
    }
    if id == APPLICATION_ID {
        return Ok(());
    }
    if id != 0 || tables > 0 {
        return Err(unusable(
            path,
            "it belongs to another program; point MIEN_DATABASE_URL at a file of its own",
        ));
    }
    sqlx::query("PRAGMA application_id = 0x4D49454E").execute(writer).await?;
    Ok(())
}

/// Does what ingest does, and undoes it.
async fn try_to_write(path: &Path, writer: &mut SqliteConnection) -> Result<()> {
    let mut transaction =
        writer.begin_with("BEGIN IMMEDIATE").await.map_err(|cause| cannot_write(path, cause.into()))?;
    trial::write_all(&mut transaction).await.map_err(|cause| cannot_write(path, cause))?;
    transaction.rollback().await.map_err(|cause| cannot_write(path, cause.into()))
}

fn cannot_write(path: &Path, cause: StoreError) -> StoreError {
    match cause {
        StoreError::ReadOnly(cause) | StoreError::Database(cause) => explain(path, cause),
        other => other,
    }
}

pub(super) fn explain(path: &Path, cause: sqlx::Error) -> StoreError {
    match &cause {
        sqlx::Error::Database(inner) if inner.code().as_deref() == Some(NOT_A_DATABASE) => unusable(
            path,
            "it is no SQLite database; move it away or point MIEN_DATABASE_URL at another file",
        ),
        sqlx::Error::Database(inner) => {
            unusable(path, &format!("{}; check that the file and its folder can be written", inner.message()))
        }
        _ => cause.into(),
    }
}

fn explain_migration(path: &Path, cause: MigrateError) -> StoreError {
    migrate::explain(cause, |why| unusable(path, &why))
}

pub(super) fn unusable(path: &Path, why: &str) -> StoreError {
    StoreError::unusable(path.display(), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_readers_as_the_machine_can_use() {
        for (processors, connections, readers) in [
            (1, 25, 4),
            (2, 25, 4),
            (4, 25, 8),
            (16, 25, 24),
            (64, 200, 128),
            (8, 5, 4),
            (8, 2, 1),
            (8, 1, 1),
        ] {
            assert_eq!(max_readers(processors, connections), readers, "{processors} {connections}");
        }
    }

    #[tokio::test]
    async fn caches_are_small_and_readers_that_nobody_needs_are_closed() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("mien.db").display());
        let store = SqliteStore::open(&url, 1_000, Histogram::new([])).await.unwrap();
        let options = store.readers.options();
        let processors = std::thread::available_parallelism().unwrap().get() as u32;
        assert_eq!(options.get_max_connections(), (2 * processors).max(4));
        assert_eq!((options.get_min_connections(), options.get_idle_timeout()), (1, Some(READER_IDLE)));
        let cache = "PRAGMA cache_size";
        let reader: i64 =
            sqlx::query_scalar(cache).fetch_one(&mut *store.reader().await.unwrap()).await.unwrap();
        let mut writer = store.writer.lock().await;
        let writer: i64 = sqlx::query_scalar(cache).fetch_one(writer.as_mut().unwrap()).await.unwrap();
        assert_eq!((reader, writer), (-512, -2_000));
    }
}
