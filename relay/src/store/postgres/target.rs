//! The database that is opened: recognised, migrated and tried, or refused with a reason and a remedy.

use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

use super::timeout::within;
use super::trial;
use crate::store::embedded;
use crate::store::error::{Result, StoreError};
use crate::store::migrate::{self, is_older};

/// Our migrations, in a table whose name says whose they are.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = embedded::postgres();
    migrator.dangerous_set_table_name(MIGRATIONS);
    // [`Target::prepare`] has its own lock: sqlx's belongs to the session, and behind a pooler there is no such lock.
    migrator.set_locking(false);
    migrator
});
const MIGRATIONS: &str = "mien_migrations";

/// Time limit for a database that is empty or up to date, including for another relay that creates its tables.
const PREPARE_TIMEOUT: Duration = Duration::from_mins(1);
/// Time limit for migrating an older one, here or by another relay, which may copy every sample.
const MIGRATE_TIMEOUT: Duration = Duration::from_hours(1);

/// Which database on which server: errors name it for the operator.
pub(super) struct Target {
    server: String,
    database: String,
    user: String,
}

impl Target {
    pub(super) fn of(options: &PgConnectOptions) -> Self {
        let server = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let user = options.get_username().to_owned();
        Self { server, database: options.get_database().unwrap_or(&user).to_owned(), user }
    }

    /// Recognises and migrates.
    pub(super) async fn prepare(&self, connection: &mut PgConnection) -> Result<()> {
        let timeout = if self.awaits_migration(connection).await? {
            tracing::info!(
                database = %self.database,
                "bringing the database up to date; this may copy every sample"
            );
            MIGRATE_TIMEOUT
        } else {
            PREPARE_TIMEOUT
        };
        within(timeout, self.migrate(connection)).await
    }

    /// In one transaction, with a lock that ends with it, so that relays may start at the same time, even behind a
    /// pooler.
    async fn migrate(&self, connection: &mut PgConnection) -> Result<()> {
        let mut transaction = connection.begin().await?;
        // Named as in sqlx, and so as in older relays, which hold it for their session: they wait for each other.
        let name: String =
            sqlx::query_scalar("SELECT current_database()").fetch_one(&mut *transaction).await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(lock_of(&name))
            .execute(&mut *transaction)
            .await?;
        // sqlx (0.9) makes its table if there is none, and the server reports each time that there is one.
        sqlx::query("SET LOCAL client_min_messages = warning").execute(&mut *transaction).await?;
        MIGRATOR
            .run_direct(None, &mut *transaction, false)
            .await
            .map_err(|cause| self.explain_migration(cause))?;
        transaction.commit().await?;
        Ok(())
    }

    /// If a session keeps no settings, the database's own must be right: an ack promises that the sample is on disk.
    pub(super) async fn commits_to_disk(&self, connection: &mut PgConnection) -> Result<()> {
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
    pub(super) async fn takes_writes(&self, connection: &mut PgConnection) -> Result<()> {
        match within(PREPARE_TIMEOUT, trial::write_and_undo(connection)).await {
            Err(StoreError::ReadOnly(cause)) => Err(self.unusable(&format!(
                "{} may not write to it ({cause}); grant that, for example with `GRANT ALL ON ALL TABLES IN SCHEMA public TO {}`",
                self.user, self.user
            ))),
            tried => tried,
        }
    }

    pub(super) fn explain_store(&self, cause: StoreError) -> StoreError {
        match cause {
            StoreError::Database(cause) | StoreError::Unreachable(cause) => self.explain(cause),
            other => other,
        }
    }

    /// Whether an older relay made it. Changes nothing.
    pub(super) async fn awaits_migration(&self, connection: &mut PgConnection) -> Result<bool> {
        within(PREPARE_TIMEOUT, self.is_older(connection)).await
    }

    async fn is_older(&self, connection: &mut PgConnection) -> Result<bool> {
        if !self.recognise(connection).await? {
            return Ok(false);
        }
        is_older(&MIGRATOR, MIGRATIONS, connection).await.map_err(|cause| self.explain_migration(cause))
    }

    /// Whether it is ours already. Refuses one that someone else made, or that cannot store what the relay must store.
    async fn recognise(&self, connection: &mut PgConnection) -> Result<bool> {
        // One query, one snapshot: a relay that is migrating right now creates the table of migrations first.
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

    pub(super) fn explain(&self, cause: sqlx::Error) -> StoreError {
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

    pub(super) fn silent(&self) -> StoreError {
        StoreError::Unusable(format!(
            "the database server at {} does not answer; see that it runs and that no firewall is between, or correct MIEN_DATABASE_URL",
            self.server
        ))
    }

    fn explain_migration(&self, cause: MigrateError) -> StoreError {
        match cause {
            MigrateError::Execute(sqlx::Error::Database(inner)) if inner.code().as_deref() == Some("42501") => {
                self.unusable(&format!(
                    "{} may not make tables in it ({}); grant that, for example with `ALTER DATABASE {} OWNER TO {}`",
                    self.user, inner.message(), self.database, self.user
                ))
            }
            cause => migrate::explain(cause, |why| self.unusable(&why)),
        }
    }

    fn unusable(&self, why: &str) -> StoreError {
        StoreError::unusable(format_args!("{} at {}", self.database, self.server), why)
    }
}

/// The number of sqlx's advisory lock for the migrations of a database: a constant times the CRC-32 of its name.
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
