//! What can go wrong in the store, classified by what the caller can do about it.

use std::fmt;
use std::path::PathBuf;

/// Result of a call to the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A failed call to the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The session cannot go from its state to that one.
    #[error("a completed session cannot become active again")]
    Conflict,
    /// The session has ended, or there is none: nothing more is taken for it.
    #[error("the session is completed or erased")]
    Ended,
    /// One more source than a session may have.
    #[error("the session has as many sources as it may have")]
    TooManySources(u32),
    /// One more marker than a session may have.
    #[error("the session has as many markers as it may have")]
    TooManyMarkers(u32),
    /// One more session than a user may have.
    #[error("the user has as many sessions as they may have")]
    TooManySessions(u32),
    /// A row that this build cannot read.
    #[error("a stored sample cannot be read: {0}")]
    Corrupt(#[from] super::codec::CodecFault),
    /// The database cannot be used as it is: the text says why and what helps.
    #[error("{0}")]
    Unusable(String),
    /// The path names a file other than the one that is open, so the next start would not find what is committed now.
    #[error(
        "{} is no longer the file that is open: it was moved, replaced or deleted; put it back, or restart the relay", .0.display()
    )]
    Moved(PathBuf),
    /// It can be read but not written.
    #[error("the database takes no writes: {0}")]
    ReadOnly(#[source] sqlx::Error),
    /// The disk has no room.
    #[error("the disk that holds the database is full")]
    Full(#[source] sqlx::Error),
    /// The database did not answer in time, or no connection to it was free in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// The connection to the database broke, or none could be made.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
    /// The database refused; worth trying again.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Names the database, and says why it cannot be used and what helps.
    pub(super) fn unusable(database: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Unusable(format!("the database {database} cannot be used: {why}"))
    }

    /// Whether the store works but refuses the request.
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Conflict
                | Self::Ended
                | Self::TooManySources(_)
                | Self::TooManyMarkers(_)
                | Self::TooManySessions(_)
        )
    }

    /// Name in the metric `store_errors_total{kind}`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Conflict
            | Self::Ended
            | Self::TooManySources(_)
            | Self::TooManyMarkers(_)
            | Self::TooManySessions(_) => "refused",
            Self::Corrupt(_) => "corrupt",
            Self::Unusable(_) => "unusable",
            Self::Moved(_) => "moved",
            Self::ReadOnly(_) => "read_only",
            Self::Full(_) => "full",
            Self::TimedOut => "timeout",
            Self::Unreachable(_) => "unreachable",
            Self::Database(_) => "database",
        }
    }

    /// Every name that [`StoreError::kind`] returns for a failure, so that metrics start at zero.
    pub const KINDS: [&'static str; 8] =
        ["corrupt", "unusable", "moved", "read_only", "full", "timeout", "unreachable", "database"];

    /// What an operator must know, for `/readyz`, which is public: no path, no address, no text from the database.
    /// Those are in the log.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Moved(_) => "the database's file was moved, replaced or deleted; the log names it",
            Self::ReadOnly(_) => "the database takes no writes; the log says why",
            Self::Full(_) => "the disk that holds the database is full",
            Self::TimedOut => "the database did not answer in time",
            Self::Unreachable(_) => "the database cannot be reached",
            _ => "the database failed; the log says why",
        }
    }
}

/// `SQLITE_READONLY` with its extended codes (a log that cannot be recovered, a folder that cannot be written, …), and
/// Postgres' `read_only_sql_transaction` and `insufficient_privilege`.
const READ_ONLY: [&str; 9] = ["8", "264", "520", "776", "1032", "1288", "1544", "25006", "42501"];
/// `SQLITE_FULL`, and Postgres' `disk_full`.
const FULL: [&str; 2] = ["13", "53100"];
/// Postgres' `query_canceled` and `lock_not_available`: its own time limits, which the relay sets.
const OUT_OF_TIME: [&str; 2] = ["57014", "55P03"];
/// Postgres' `invalid_sql_statement_name` and `duplicate_prepared_statement`: behind a pooler, what one connection
/// prepared is on another server connection, or another client's statement is on this one.
const LOST_STATEMENT: [&str; 2] = ["26000", "42P05"];
const NO_STATEMENTS: &str = "the database is behind a pooler that gives each transaction another connection and keeps no prepared statements; use PgBouncer 1.21 or newer with max_prepared_statements above 0, or pool_mode = session, or connect to Postgres itself";
/// Postgres' `admin_shutdown`, `crash_shutdown` and `cannot_connect_now`.
const GOING: [&str; 3] = ["57P01", "57P02", "57P03"];

impl From<sqlx::Error> for StoreError {
    fn from(cause: sqlx::Error) -> Self {
        let code = match &cause {
            sqlx::Error::PoolTimedOut => return Self::TimedOut,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed => {
                return Self::Unreachable(cause);
            }
            sqlx::Error::Database(inner) => inner.code(),
            _ => None,
        };
        match code.as_deref() {
            Some(code) if FULL.contains(&code) => Self::Full(cause),
            Some(code) if READ_ONLY.contains(&code) => Self::ReadOnly(cause),
            Some(code) if LOST_STATEMENT.contains(&code) => Self::Unusable(NO_STATEMENTS.into()),
            Some(code) if OUT_OF_TIME.contains(&code) => Self::TimedOut,
            Some(code) if GOING.contains(&code) => Self::Unreachable(cause),
            _ => Self::Database(cause),
        }
    }
}
