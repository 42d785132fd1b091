//! Opening: reach the server, bring the database up to date, and make a pool.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use tracing::log::LevelFilter;

use super::connections::{LANES, PostgresStore};
use super::pooler::{self, Keeps};
use super::target::Target;
use super::timeout::within;
use crate::config::Quota;
use crate::store::backend::LIFETIME;
use crate::store::error::{Result, StoreError};

/// Time limit for the first answer of the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that are kept ready.
const IDLE_CONNECTIONS: u32 = 5;
/// Time limit for getting a connection when all are busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Sent on every connection: the server abandons what the relay has abandoned, and a commit is on disk before it is
/// acknowledged, even if the server's default is not to wait.
const GREETING: &str = "SELECT set_config('statement_timeout', '10s', false), \
    set_config('lock_timeout', '5s', false), \
    set_config('idle_in_transaction_session_timeout', '10s', false), \
    CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END";

impl PostgresStore {
    /// Changes nothing.
    pub async fn awaits_migration(url: &str) -> Result<bool> {
        let (target, _, mut connection) = connect(url).await?;
        let awaits = target.awaits_migration(&mut connection).await;
        let _ = connection.close().await;
        awaits
    }

    pub async fn open(url: &str, max_connections: u32, pool_wait: Histogram) -> Result<Self> {
        let (target, options, mut connection) = connect(url).await?;
        let keeps = pooler::what_is_kept(&options, &mut connection)
            .await
            .map_err(|cause| target.explain_store(cause))?;
        target.prepare(&mut connection).await?;
        if keeps == Keeps::Statements {
            target.commits_to_disk(&mut connection).await?;
        }
        target.takes_writes(&mut connection).await?;
        let _ = connection.close().await;
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .min_connections(IDLE_CONNECTIONS.min(max_connections))
            .max_lifetime(LIFETIME)
            .idle_timeout(LIFETIME)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    match keeps {
                        Keeps::All => connection.execute(GREETING).await.map(drop),
                        // The settings would stay with the connection's next user.
                        Keeps::Statements => Ok(()),
                    }
                })
            })
            .connect_lazy_with(options);
        // So that readers always have some left.
        let max_writers = LANES.min(max_connections as usize / 2);
        let (writers, quota) = (Arc::new(Mutex::new(Vec::new())), Quota::default());
        Ok(Self { pool, writers, max_writers, pool_wait, quota })
    }
}

async fn connect(url: &str) -> Result<(Target, PgConnectOptions, PgConnection)> {
    let options: PgConnectOptions = url.parse().map_err(|cause| {
        StoreError::Unusable(format!(
            "MIEN_DATABASE_URL cannot be read ({cause}); write postgres://USER:PASSWORD@HOST:PORT/DATABASE"
        ))
    })?;
    let options = options
        .application_name("mien-relay")
        // It affects numbers as text, which are not used here, and PgBouncer 1.18 refuses a client that sets it.
        .extra_float_digits(None)
        .log_slow_statements(LevelFilter::Warn, Duration::from_secs(2));
    let target = Target::of(&options);
    let connected = async { options.connect().await.map_err(|cause| target.explain(cause)) };
    match within(CONNECT_TIMEOUT, connected).await {
        Ok(connection) => Ok((target, options, connection)),
        Err(StoreError::TimedOut) => Err(target.silent()),
        Err(cause) => Err(cause),
    }
}
