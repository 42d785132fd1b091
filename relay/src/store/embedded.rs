//! The migrations of both databases, compiled in.
//!
//! sqlx's own macro would do this too, but requires compiling sqlx a second time for the compiler itself, with TLS,
//! SQLite and everything.

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// A file in `migrations/`: its number, its description and its SQL.
struct File {
    version: i64,
    description: &'static str,
    sql: &'static str,
}

// Written by build.rs: `SQLITE` and `POSTGRES`.
include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

pub(super) fn sqlite() -> Migrator {
    migrator(SQLITE)
}

pub(super) fn postgres() -> Migrator {
    migrator(POSTGRES)
}

fn migrator(files: &[File]) -> Migrator {
    let migrations = files.iter().map(|file| {
        let sql = SqlStr::from_static(file.sql);
        Migration::new(file.version, file.description.into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[tokio::test]
    async fn what_is_compiled_in_is_what_sqlx_reads_from_the_files() {
        for (folder, embedded) in [("sqlite", sqlite()), ("postgres", postgres())] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations").join(folder);
            let read = Migrator::new(folder.as_path()).await.unwrap();
            assert!(embedded.iter().count() > 0);
            // Two migrations are equal to sqlx if their versions are.
            let all = |migrator: &Migrator| -> Vec<_> {
                let parts = |one: &Migration| {
                    let sql = one.sql.as_str().to_owned();
                    (
                        one.version,
                        one.description.clone(),
                        one.migration_type,
                        sql,
                        one.checksum.clone(),
                        one.no_tx,
                    )
                };
                migrator.iter().map(parts).collect()
            };
            assert_eq!(all(&embedded), all(&read));
        }
    }
}
