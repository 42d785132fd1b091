//! Which migrations a database has, found without changing it, and why it cannot be migrated.

use sqlx::migrate::{Migrate, MigrateError, Migrator};

use super::error::StoreError;

/// Whether a database that these migrations made lacks the newest of them. A database that others made, or with more
/// migrations, is an error, as it is when they are run.
pub(super) async fn is_older(
    migrator: &Migrator,
    table: &str,
    connection: &mut impl Migrate,
) -> Result<bool, MigrateError> {
    if let Some(version) = connection.dirty_version(table).await? {
        return Err(MigrateError::Dirty(version));
    }
    let applied = connection.list_applied_migrations(table).await?;
    for theirs in &applied {
        match migrator.iter().find(|ours| ours.version == theirs.version) {
            None => return Err(MigrateError::VersionMissing(theirs.version)),
            Some(ours) if ours.checksum != theirs.checksum => {
                return Err(MigrateError::VersionMismatch(theirs.version));
            }
            Some(_) => {}
        }
    }
    Ok(!applied.is_empty() && applied.len() < migrator.iter().count())
}

/// What an operator can do about it. `unusable` names the database.
pub(super) fn explain(cause: MigrateError, unusable: impl FnOnce(String) -> StoreError) -> StoreError {
    match cause {
        MigrateError::VersionMissing(version) => unusable(format!(
            "a newer mien-relay wrote it (schema {version}); run that version or restore a backup"
        )),
        MigrateError::VersionMismatch(version) => unusable(format!(
            "its schema {version} is not the one that this mien-relay knows; run the version that made it"
        )),
        MigrateError::Dirty(version) => {
            unusable(format!("the change to schema {version} was cut short; restore a backup"))
        }
        MigrateError::Execute(cause) => cause.into(),
        other => unusable(other.to_string()),
    }
}
