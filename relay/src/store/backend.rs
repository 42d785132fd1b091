//! A connection to either database, for what both are asked with the same SQL.
//!
//! Parameters are `$1`, `$2` … in both. A statement is prepared once for each connection, as it is where a backend asks
//! directly.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::error::Result;

/// Connections are closed after this long, so that a server whose name now points elsewhere is found, and the memory
/// that a connection has accumulated is freed.
pub(super) const LIFETIME: Duration = Duration::from_mins(5);

/// A row of either database as a tuple.
pub(super) trait FromEitherRow:
    for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> FromEitherRow for T where
    T: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin
{
}

/// A value that goes with a statement.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parameter<'a> {
    Id(Uuid),
    Text(&'a str),
    OptionalText(Option<&'a str>),
    Number(i64),
    OptionalNumber(Option<i64>),
}

impl From<Uuid> for Parameter<'_> {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl<'a> From<&'a str> for Parameter<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Parameter<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::OptionalText(text)
    }
}

impl From<i64> for Parameter<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Parameter<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::OptionalNumber(number)
    }
}

pub(super) trait Backend: Send {
    fn fetch_all<T: FromEitherRow>(
        &mut self,
        sql: &'static str,
        parameters: &[Parameter<'_>],
    ) -> impl Future<Output = Result<Vec<T>>> + Send;

    fn fetch_optional<T: FromEitherRow>(
        &mut self,
        sql: &'static str,
        parameters: &[Parameter<'_>],
    ) -> impl Future<Output = Result<Option<T>>> + Send;

    /// For a statement that always returns one row.
    fn fetch_one<T: FromEitherRow>(
        &mut self,
        sql: &'static str,
        parameters: &[Parameter<'_>],
    ) -> impl Future<Output = Result<T>> + Send;

    /// Returns the number of rows that it changed.
    fn execute(
        &mut self,
        sql: &'static str,
        parameters: &[Parameter<'_>],
    ) -> impl Future<Output = Result<u64>> + Send;
}

macro_rules! bind {
    ($query:expr, $parameters:expr) => {{
        let mut query = $query;
        for parameter in $parameters {
            query = match *parameter {
                Parameter::Id(id) => query.bind(id),
                Parameter::Text(text) => query.bind(text),
                Parameter::OptionalText(text) => query.bind(text),
                Parameter::Number(number) => query.bind(number),
                Parameter::OptionalNumber(number) => query.bind(number),
            };
        }
        query
    }};
}

macro_rules! backend {
    ($connection:ty, $database:ty) => {
        impl Backend for $connection {
            async fn fetch_all<T: FromEitherRow>(
                &mut self,
                sql: &'static str,
                parameters: &[Parameter<'_>],
            ) -> Result<Vec<T>> {
                Ok(bind!(sqlx::query_as::<$database, T>(sql), parameters).fetch_all(self).await?)
            }

            async fn fetch_optional<T: FromEitherRow>(
                &mut self,
                sql: &'static str,
                parameters: &[Parameter<'_>],
            ) -> Result<Option<T>> {
                Ok(bind!(sqlx::query_as::<$database, T>(sql), parameters).fetch_optional(self).await?)
            }

            async fn fetch_one<T: FromEitherRow>(
                &mut self,
                sql: &'static str,
                parameters: &[Parameter<'_>],
            ) -> Result<T> {
                Ok(bind!(sqlx::query_as::<$database, T>(sql), parameters).fetch_one(self).await?)
            }

            async fn execute(&mut self, sql: &'static str, parameters: &[Parameter<'_>]) -> Result<u64> {
                let done = bind!(sqlx::query::<$database>(sql), parameters).execute(self).await?;
                Ok(done.rows_affected())
            }
        }
    };
}

backend!(SqliteConnection, Sqlite);
backend!(PgConnection, Postgres);
