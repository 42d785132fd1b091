//! Opening and copying the database that a URL names.

use std::path::Path;

use futures_util::TryFutureExt as _;
use prometheus_client::metrics::histogram::Histogram;

use super::dispatch::{Answer, Store};
use super::error::StoreError;
use super::postgres::PostgresStore;
use super::sqlite::SqliteStore;
use crate::config::is_postgres;

impl Store {
    /// Whether [`Store::open`] would change an existing database. Changes nothing itself.
    pub fn awaits_migration(url: &str) -> Answer<'_, bool> {
        if is_postgres(url) {
            Box::pin(PostgresStore::awaits_migration(url))
        } else {
            Box::pin(SqliteStore::awaits_migration(url))
        }
    }

    /// Opens, creates or migrates the database that `url` names. `wait` observes how long callers waited for a
    /// connection from its pool, in seconds.
    pub fn open(url: &str, max_connections: u32, wait: Histogram) -> Answer<'_, Self> {
        if is_postgres(url) {
            Box::pin(PostgresStore::open(url, max_connections, wait).map_ok(Self::Postgres))
        } else {
            Box::pin(SqliteStore::open(url, max_connections, wait).map_ok(Self::Sqlite))
        }
    }

    /// Copies a database to a new file while it is in use, and returns how many bytes the copy has.
    pub fn backup<'a>(url: &'a str, to: &'a Path) -> Answer<'a, u64> {
        if is_postgres(url) {
            let why = "Postgres has its own tools for copies: pg_dump and pg_restore, or a base backup with its log";
            return Box::pin(std::future::ready(Err(StoreError::Unusable(why.into()))));
        }
        Box::pin(SqliteStore::backup(url, to))
    }
}
