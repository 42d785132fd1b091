//! SQLite's files: whose they are, and what is acked while they are moved, replaced or deleted.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use mien_relay::store::{Batch, Item, Outcome, SourceKey, Store, StoreError};
use mien_shared::Sample;
use mien_shared::api::SourceName;

use crate::place::{Place, open};

fn mode(file: &Path) -> u32 {
    file.metadata().unwrap().permissions().mode() & 0o777
}

async fn source(store: &Store) -> SourceKey {
    let id = store.create_session("alice", "", "").await.unwrap().id;
    store.open_source(id, &SourceName::default()).await.unwrap().0
}

async fn commit(store: &Store, source: SourceKey, seq: u64) -> Result<Vec<Outcome>, StoreError> {
    let item = Item::Ok(Sample::new(seq, seq, Vec::new()));
    store.commit(&[Batch { source, items: vec![item] }]).await
}

#[tokio::test]
async fn nobody_else_may_read_what_is_stored() {
    let place = Place::sqlite();
    let store = place.open().await;
    for name in ["mien.db", "mien.db-wal", "mien.db-shm"] {
        assert_eq!(format!("{:o}", mode(&place.file(name))), "600", "{name}");
    }
    // As an older relay left them.
    for name in ["mien.db", "mien.db-wal", "mien.db-shm"] {
        std::fs::set_permissions(place.file(name), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let other = place.open().await;
    for name in ["mien.db", "mien.db-wal", "mien.db-shm"] {
        assert_eq!(format!("{:o}", mode(&place.file(name))), "600", "{name}, which was there");
    }
    other.close().await;
    store.close().await;
    // Somebody chose that a group may read it.
    std::fs::set_permissions(place.file("mien.db"), std::fs::Permissions::from_mode(0o640)).unwrap();
    place.open().await.close().await;
    assert_eq!(format!("{:o}", mode(&place.file("mien.db"))), "640");
}

/// Whatever happens to the files, what is answered for is in those that the next start finds.
#[tokio::test]
async fn nothing_is_committed_while_the_files_are_elsewhere() {
    for name in ["mien.db", "mien.db-wal"] {
        let place = Place::sqlite();
        let store = place.open().await;
        let key = source(&store).await;
        commit(&store, key, 1).await.unwrap();
        let (file, aside) = (place.file(name), place.file("aside"));

        std::fs::rename(&file, &aside).unwrap();
        let taken = commit(&store, key, 2).await;
        assert!(taken.is_err(), "{name} is moved: {taken:?}");
        let why = taken.unwrap_err().to_string();
        assert!(why.contains(name), "{why}");
        assert!(store.ready().await.is_err(), "{name} is moved");

        std::fs::rename(&aside, &file).unwrap();
        store.ready().await.unwrap();
        commit(&store, key, 2).await.unwrap();

        std::fs::copy(&file, &aside).unwrap();
        std::fs::rename(&aside, &file).unwrap();
        assert!(commit(&store, key, 3).await.is_err(), "{name} is replaced");
        std::fs::remove_file(&file).unwrap();
        assert!(commit(&store, key, 3).await.is_err(), "{name} is deleted");
        assert!(store.ready().await.is_err(), "{name} is deleted");
        assert!(!file.exists(), "{name} is not made anew");
        store.close().await;
    }
}

#[tokio::test]
async fn a_copy_without_its_log_is_not_taken_for_an_empty_database() {
    let place = Place::sqlite();
    let store = place.open().await;
    source(&store).await;
    let copy = place.file("copy.db");
    std::fs::copy(place.file("mien.db"), &copy).unwrap();
    store.close().await;
    let why = open(&format!("sqlite:{}", copy.display())).await.unwrap_err().to_string();
    assert!(
        why.contains("has no tables") && why.contains("-wal") && why.contains("mien-relay backup"),
        "{why}"
    );
    // An empty file is what a new database begins as.
    std::fs::write(&copy, "").unwrap();
    open(&format!("sqlite:{}", copy.display())).await.unwrap().close().await;
}
