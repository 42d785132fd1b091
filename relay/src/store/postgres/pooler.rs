//! A pooler before Postgres, as PgBouncer is, and how it hands out the server's connections.
//!
//! One that gives each transaction another server connection (`pool_mode = transaction`) keeps nothing of a session:
//! no settings, no advisory locks, and statements that were prepared only where it follows them itself, as PgBouncer
//! does from 1.21 on with `max_prepared_statements` above 0. The relay prepares all it asks, so that is needed; of the
//! rest it then uses nothing.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::within;
use crate::store::{Result, StoreError};

/// Patience with a server connection that another client of the pooler has.
const PATIENCE: Duration = Duration::from_secs(5);
/// `invalid_sql_statement_name` and `duplicate_prepared_statement`: what was prepared is on another server connection,
/// or another client prepared its own on this one.
pub(super) const LOST_STATEMENT: [&str; 2] = ["26000", "42P05"];
pub(super) const NO_STATEMENTS: &str = "a pooler before it gives each transaction another connection and keeps no prepared statements; use PgBouncer 1.21 or newer with max_prepared_statements above 0, or pool_mode = session, or connect to Postgres itself";

/// What a connection keeps from one transaction to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    /// All: it is a server connection, for as long as it lasts.
    All,
    /// Prepared statements alone.
    Statements,
    /// Nothing: it is of no use.
    Nothing,
}

/// Finds out with a second connection, which in a transaction takes the server connection that the first has just had.
pub(super) async fn what_is_kept(options: &PgConnectOptions, first: &mut PgConnection) -> Result<Keeps> {
    let keeps = within(PATIENCE, compare(options, first)).await;
    match keeps {
        Err(StoreError::Database(sqlx::Error::Database(cause)))
            if cause.code().is_some_and(|code| LOST_STATEMENT.contains(&&*code)) =>
        {
            Ok(Keeps::Nothing)
        }
        keeps => keeps,
    }
}

async fn compare(options: &PgConnectOptions, first: &mut PgConnection) -> Result<Keeps> {
    let begun = process(first).await?;
    let mut second = options.connect().await?;
    let mut transaction = second.begin().await?;
    let others = process(&mut transaction).await?;
    // The one connection that there is may be the second's until here.
    let same = others != begun && process(first).await? == begun;
    transaction.rollback().await?;
    let _ = second.close().await;
    Ok(if same { Keeps::All } else { Keeps::Statements })
}

/// The server's process behind a connection, by a prepared statement.
async fn process(connection: &mut PgConnection) -> Result<i32> {
    Ok(sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await?)
}
