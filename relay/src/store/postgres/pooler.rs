//! Whether a pooler such as PgBouncer is in front of Postgres, and how it assigns server connections.
//!
//! One that gives each transaction another server connection (`pool_mode = transaction`) keeps nothing of a session:
//! no settings, no advisory locks, and statements that were prepared only where it follows them itself, as PgBouncer
//! does from 1.21 on with `max_prepared_statements` above 0. The relay prepares all its statements, so it needs those;
//! the rest it then does without.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::timeout::within;
use crate::store::error::Result;

/// For a server connection that another client of the pooler has, such as a relay that creates its tables.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How often the two are compared: a pooler assigns the server connection that was freed last, but other clients may
/// interfere.
const ROUNDS: usize = 4;

/// What a connection keeps from one transaction to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    /// Everything: it is one server connection for its whole life.
    All,
    /// Prepared statements alone.
    Statements,
}

/// Finds out with a second connection. Where both get the same server connection, or the first gets another than
/// before, there is a pooler. One that keeps no statements fails here, as it would later: what was prepared by one is
/// not there for the other, or is there already. Neither holds anything while it waits for the other.
pub(super) async fn what_is_kept(options: &PgConnectOptions, first: &mut PgConnection) -> Result<Keeps> {
    within(TIMEOUT, compare(options, first)).await
}

async fn compare(options: &PgConnectOptions, first: &mut PgConnection) -> Result<Keeps> {
    let begun = process(first).await?;
    let mut second = options.connect().await?;
    let mut keeps = Keeps::All;
    for _ in 0..ROUNDS {
        if process(&mut second).await? == begun || process(first).await? != begun {
            keeps = Keeps::Statements;
            break;
        }
    }
    let _ = second.close().await;
    Ok(keeps)
}

/// The server's process behind a connection, by a prepared statement.
async fn process(connection: &mut PgConnection) -> Result<i32> {
    Ok(sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await?)
}
