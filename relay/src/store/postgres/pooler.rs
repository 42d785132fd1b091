//! Whether a pooler such as PgBouncer is in front of Postgres, and how it assigns server connections.
//!
//! A pooler that gives each transaction another server connection (`pool_mode = transaction`) keeps nothing of a
//! session: no settings, no advisory locks, and prepared statements only if it tracks them itself, as PgBouncer does
//! from 1.21 on with `max_prepared_statements` above 0. The relay prepares all its statements, so it needs those; it
//! then does without the rest.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::timeout::within;
use crate::store::error::Result;

/// Time to wait for a server connection that another client of the pooler holds, such as a relay that creates its
/// tables.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How often the two are compared: a pooler assigns the server connection that was freed last, but other clients may
/// interfere.
const ROUNDS: usize = 4;

/// What a connection keeps from one transaction to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    /// Everything: it is one server connection for its whole life.
    All,
    /// Only prepared statements.
    Statements,
}

/// Finds out with a second connection. If both get the same server connection, or the first gets a different one than
/// before, there is a pooler. One that keeps no statements fails here, as it would later: what one connection prepared
/// is missing for the other, or exists already. Neither holds anything while it waits for the other.
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
