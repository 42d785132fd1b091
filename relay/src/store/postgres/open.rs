//! Opening: reach the server, recognise the database, migrate it, or say why not.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use tracing::log::LevelFilter;

use super::pooler::{self, Keeps};
use super::{LANES, PostgresStore, trial, within};
use crate::config::Quota;
use crate::store::embedded;
use crate::store::migrate::is_older;
use crate::store::{LIFETIME, Result, StoreError};

/// Our migrations, in a table whose name says whose they are.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = embedded::postgres();
    migrator.dangerous_set_table_name(MIGRATIONS);
    // [`Place::prepare`] has a lock of its own: sqlx's is the session's, and behind a pooler there is none.
    migrator.set_locking(false);
    migrator
});
const MIGRATIONS: &str = "mien_migrations";

/// Patience with a server that is asked for the first time.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Patience with a database that is empty or up to date, and with another relay that makes its tables.
const PREPARE_PATIENCE: Duration = Duration::from_mins(1);
/// Patience with the change of an older one, which may copy every sample, here or by another relay.
const MIGRATE_PATIENCE: Duration = Duration::from_hours(1);
/// Connections that are kept ready.
const IDLE_CONNECTIONS: u32 = 5;
/// Patience with connections that are all at work.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// What every connection is told: the server gives up by itself what the relay has given up, and a commit is on
/// disk before it is answered, even where the server's default is not to wait.
const GREETING: &str = "SELECT set_config('statement_timeout', '10s', false), \
    set_config('lock_timeout', '5s', false), \
    set_config('idle_in_transaction_session_timeout', '10s', false), \
    CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END";

impl PostgresStore {
    /// Changes nothing.
    pub async fn awaits_migration(url: &str) -> Result<bool> {
        let (place, _, mut connection) = connect(url).await?;
        let awaits = within(PREPARE_PATIENCE, place.awaits_migration(&mut connection)).await;
        let _ = connection.close().await;
        awaits
    }

    pub async fn open(url: &str, max_connections: u32, pool_wait: Histogram) -> Result<Self> {
        let (place, options, mut connection) = connect(url).await?;
        let keeps = pooler::what_is_kept(&options, &mut connection)
            .await
            .map_err(|cause| place.explain_store(cause))?;
        place.prepare(&mut connection).await?;
        if keeps == Keeps::Statements {
            place.commits_to_disk(&mut connection).await?;
        }
        place.takes_writes(&mut connection).await?;
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
                        // It would be told to whoever has that connection next.
                        Keeps::Statements => Ok(()),
                    }
                })
            })
            .connect_lazy_with(options);
        // Readers always find some left.
        let max_writers = LANES.min(max_connections as usize / 2);
        let (writers, quota) = (Arc::new(Mutex::new(Vec::new())), Quota::default());
        Ok(Self { pool, writers, max_writers, pool_wait, quota })
    }
}

async fn connect(url: &str) -> Result<(Place, PgConnectOptions, PgConnection)> {
    let options: PgConnectOptions = url.parse().map_err(|cause| {
        StoreError::Unusable(format!(
            "MIEN_DATABASE_URL cannot be read ({cause}); write postgres://USER:PASSWORD@HOST:PORT/DATABASE"
        ))
    })?;
    let options = options
        .application_name("mien-relay")
        // For numbers as text, of which there are none here. PgBouncer 1.18 refuses a client that asks for it.
        .extra_float_digits(None)
        .log_slow_statements(LevelFilter::Warn, Duration::from_secs(2));
    let place = Place::of(&options);
    let connected = async { options.connect().await.map_err(|cause| place.explain(cause)) };
    match within(CONNECT_PATIENCE, connected).await {
        Ok(connection) => Ok((place, options, connection)),
        Err(StoreError::TimedOut) => Err(place.silent()),
        Err(cause) => Err(cause),
    }
}

/// Which database on which server, for those who must mend it.
struct Place {
    server: String,
    database: String,
    user: String,
}

impl Place {
    fn of(options: &PgConnectOptions) -> Self {
        let server = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let user = options.get_username().to_owned();
        Self { server, database: options.get_database().unwrap_or(&user).to_owned(), user }
    }

    /// Recognises and migrates.
    async fn prepare(&self, connection: &mut PgConnection) -> Result<()> {
        let patience = if within(PREPARE_PATIENCE, self.awaits_migration(connection)).await? {
            tracing::info!(
                database = %self.database,
                "bringing the database up to date; this may copy every sample"
            );
            MIGRATE_PATIENCE
        } else {
            PREPARE_PATIENCE
        };
        within(patience, self.migrate(connection)).await
    }

    /// In one transaction, with a lock that ends with it, so that relays may start at once, also behind a pooler.
    async fn migrate(&self, connection: &mut PgConnection) -> Result<()> {
        let mut transaction = connection.begin().await?;
        // As sqlx names it, and so older relays, which hold it for their session: they wait for each other.
        let name: String =
            sqlx::query_scalar("SELECT current_database()").fetch_one(&mut *transaction).await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(lock_of(&name))
            .execute(&mut *transaction)
            .await?;
        // sqlx (0.9) makes its table if there is none, and the server tells each time that there is one.
        sqlx::query("SET LOCAL client_min_messages = warning").execute(&mut *transaction).await?;
        MIGRATOR
            .run_direct(None, &mut *transaction, false)
            .await
            .map_err(|cause| self.explain_migration(cause))?;
        transaction.commit().await?;
        Ok(())
    }

    /// Where a session keeps no settings, the database's own must be right: an ack says that it is on the disk.
    async fn commits_to_disk(&self, connection: &mut PgConnection) -> Result<()> {
        let commits: String =
            sqlx::query_scalar("SELECT current_setting('synchronous_commit')").fetch_one(connection).await?;
        if commits == "off" {
            return Err(self.unusable(&format!(
                "behind a pooler its synchronous_commit must not be off; set it with `ALTER ROLE {} SET synchronous_commit = on`",
                self.user
            )));
        }
        Ok(())
    }

    /// Tries what ingest does.
    async fn takes_writes(&self, connection: &mut PgConnection) -> Result<()> {
        match within(PREPARE_PATIENCE, trial::write_and_undo(connection)).await {
            Err(StoreError::ReadOnly(cause)) => Err(self.unusable(&format!(
                "{} may not write to it ({cause}); grant that, for example with `GRANT ALL ON ALL TABLES IN SCHEMA public TO {}`",
                self.user, self.user
            ))),
            tried => tried,
        }
    }

    fn explain_store(&self, cause: StoreError) -> StoreError {
        match cause {
            StoreError::Database(cause) | StoreError::Unreachable(cause) => self.explain(cause),
            other => other,
        }
    }

    async fn awaits_migration(&self, connection: &mut PgConnection) -> Result<bool> {
        if !self.recognise(connection).await? {
            return Ok(false);
        }
        is_older(&MIGRATOR, MIGRATIONS, connection).await.map_err(|cause| self.explain_migration(cause))
    }

    /// Whether it is ours already. Refuses one that someone else made, or that cannot keep what the relay must keep.
    async fn recognise(&self, connection: &mut PgConnection) -> Result<bool> {
        // One question, one snapshot: whoever migrates at the moment makes the table of migrations first.
        let (ours, tables, encoding, read_only): (bool, i64, String, String) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE tablename = $1) > 0, count(*), \
             current_setting('server_encoding'), current_setting('transaction_read_only') \
             FROM pg_tables WHERE schemaname = current_schema()",
        )
        .bind(MIGRATIONS)
        .fetch_one(connection)
        .await?;
        if encoding != "UTF8" {
            return Err(self.unusable(&format!(
                "its encoding is {encoding}; make it with `createdb --encoding=UTF8 --template=template0 {}`",
                self.database
            )));
        }
        if read_only == "on" {
            return Err(self.unusable(
                "it is read-only, as a standby is; point MIEN_DATABASE_URL at the primary server",
            ));
        }
        if !ours && tables > 0 {
            return Err(self.unusable(
                "it belongs to another program; point MIEN_DATABASE_URL at a database of its own",
            ));
        }
        Ok(ours)
    }

    fn explain(&self, cause: sqlx::Error) -> StoreError {
        let Self { server, database, user } = self;
        let text = match &cause {
            sqlx::Error::Io(cause) => {
                format!(
                    "the database server at {server} cannot be reached ({cause}); start it or correct MIEN_DATABASE_URL"
                )
            }
            sqlx::Error::Tls(cause) => format!(
                "no TLS with the database server at {server} ({cause}); correct its certificate, or sslmode and sslrootcert in MIEN_DATABASE_URL"
            ),
            sqlx::Error::Database(inner) => match inner.code().as_deref() {
                Some("3D000") => format!(
                    "the database server at {server} has no database {database}; make it with `createdb {database}`"
                ),
                Some("28P01" | "28000") => format!(
                    "the database server at {server} does not let {user} in ({}); correct user and password in MIEN_DATABASE_URL",
                    inner.message()
                ),
                Some("53300") => format!(
                    "the database server at {server} has no connection left; raise its max_connections or lower MIEN_DATABASE_MAX_CONNECTIONS"
                ),
                Some("57P03") => format!(
                    "the database server at {server} takes nobody at the moment ({}); try again once it does",
                    inner.message()
                ),
                _ => return cause.into(),
            },
            _ => return cause.into(),
        };
        StoreError::Unusable(text)
    }

    fn silent(&self) -> StoreError {
        StoreError::Unusable(format!(
            "the database server at {} does not answer; see that it runs and that no firewall is between, or correct MIEN_DATABASE_URL",
            self.server
        ))
    }

    fn explain_migration(&self, cause: MigrateError) -> StoreError {
        match cause {
            MigrateError::VersionMissing(version) => self.unusable(&format!(
                "a newer mien-relay wrote it (schema {version}); run that version or restore a backup"
            )),
            MigrateError::VersionMismatch(version) => self.unusable(&format!(
                "its schema {version} is not the one that this mien-relay knows; run the version that made it"
            )),
            MigrateError::Dirty(version) => self.unusable(&format!(
                "the change to schema {version} was cut short; restore a backup"
            )),
            MigrateError::Execute(sqlx::Error::Database(inner)) if inner.code().as_deref() == Some("42501") => {
                self.unusable(&format!(
                    "{} may not make tables in it ({}); grant that, for example with `ALTER DATABASE {} OWNER TO {}`",
                    self.user, inner.message(), self.database, self.user
                ))
            }
            MigrateError::Execute(cause) => cause.into(),
            other => self.unusable(&other.to_string()),
        }
    }

    fn unusable(&self, why: &str) -> StoreError {
        StoreError::Unusable(format!(
            "the database {} at {} cannot be used: {why}",
            self.database, self.server
        ))
    }
}

/// The number of sqlx's advisory lock for the migrations of a database: a fixed one times the CRC-32 of its name.
fn lock_of(database: &str) -> i64 {
    let crc = database.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    });
    0x3D32_AD9E * i64::from(!crc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_the_one_that_older_relays_take() {
        // CRC-32/ISO-HDLC's check value.
        assert_eq!(lock_of("123456789"), 0x3D32_AD9E * 0xCBF4_3926);
    }
}
