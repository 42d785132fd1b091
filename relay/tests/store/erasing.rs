//! Erased is gone from the disk, and gives its room back.

use std::path::Path;

use mien_relay::store::{Batch, Item, SampleQuery, Store};
use mien_shared::api::{PatchSession, SourceName};
use mien_shared::{Face, Sample, Scores, SessionId};

use crate::place::Place;

/// The files of the folder that hold this text.
fn with(folder: &Path, text: &str) -> Vec<String> {
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|file| holds(&std::fs::read(file).unwrap()))
        .map(|file| file.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

async fn erase(store: &Store, id: SessionId) {
    assert!(store.delete_session(id).await.unwrap());
    store.sweep(Some(id)).await.unwrap();
}

#[tokio::test]
async fn what_was_erased_or_overwritten_is_in_no_file() {
    let place = Place::sqlite();
    let store = place.open().await;
    let id = store.create_session("alice", "first-title", "the-purpose").await.unwrap().id;
    let kept = store.create_session("bob", "kept-title", "kept-purpose").await.unwrap().id;
    store.create_marker(id, 1, "the-label", None).await.unwrap();
    let marker = store.create_marker(kept, 1, "taken-back", None).await.unwrap().id;

    let patch = PatchSession { title: Some("second-title".into()), status: None };
    store.update_session(id, &patch).await.unwrap();
    store.delete_marker(kept, marker).await.unwrap();
    store.scrub().await.unwrap();
    for text in ["first-title", "taken-back"] {
        assert_eq!(with(place.folder(), text), [""; 0], "{text}");
    }
    erase(&store, id).await;
    for text in ["second-title", "the-purpose", "the-label"] {
        assert_eq!(with(place.folder(), text), [""; 0], "{text}");
    }
    assert_eq!(with(place.folder(), "kept-title"), ["mien.db"]);
    store.close().await;
}

/// Rows move from page to page as others come between and go, and what they leave there is erased as well.
#[tokio::test]
async fn what_was_erased_is_in_no_file_wherever_it_lay_before() {
    const SESSIONS: usize = 150;
    let place = Place::sqlite();
    let store = place.open().await;
    let mut ids = Vec::new();
    for number in 0..SESSIONS {
        let title = format!("title-{number:04}-{}", "x".repeat(number * 7 % 150));
        let purpose = format!("purpose-{number:04}-{}", "y".repeat(number * 31 % 400));
        ids.push(store.create_session("alice", &title, &purpose).await.unwrap().id);
    }
    // In no order, and of all lengths, so that pages are split everywhere.
    for step in 0..SESSIONS * 15 {
        let number = step * 53 % SESSIONS;
        let label = format!("label-{number:04}-{}", "z".repeat(step * 37 % 300));
        store.create_marker(ids[number], step as u64, &label, None).await.unwrap();
    }
    for number in (0..SESSIONS).step_by(2) {
        erase(&store, ids[number]).await;
    }
    store.scrub().await.unwrap();
    let mut left = Vec::new();
    for number in (0..SESSIONS).step_by(2) {
        for kind in ["title", "purpose", "label"] {
            let text = format!("{kind}-{number:04}-");
            left.extend(with(place.folder(), &text).into_iter().map(|file| format!("{text} in {file}")));
        }
    }
    assert_eq!(left, [""; 0]);
    for number in (1..SESSIONS).step_by(2) {
        let session = store.session(ids[number]).await.unwrap().unwrap();
        assert!(session.title.starts_with(&format!("title-{number:04}-")));
        assert_eq!(store.markers(ids[number]).await.unwrap().len(), 15);
    }
    store.close().await;
}

fn sample(seq: u64) -> Sample {
    let face = Face::new(1, [0.25, 0.125, 0.5, 0.25].into(), None, Scores([1.0 / 7.0; 7]));
    Sample::new(seq, seq, vec![face; 8])
}

async fn record(store: &Store, samples: u64) -> SessionId {
    let id = store.create_session("alice", "", "").await.unwrap().id;
    let (source, _) = store.open_source(id, &SourceName::default()).await.unwrap();
    for first in (1..=samples).step_by(500) {
        let items = (first..first + 500).map(|seq| Item::Ok(sample(seq))).collect();
        store.commit(&[Batch { source, items }]).await.unwrap();
    }
    id
}

#[tokio::test]
async fn erasing_gives_the_disk_back() {
    let place = Place::sqlite();
    let store = place.open().await;
    let (large, small) = (record(&store, 20_000).await, record(&store, 500).await);
    let size = || {
        place.file("mien.db").metadata().unwrap().len() + place.file("mien.db-wal").metadata().unwrap().len()
    };
    let before = size();
    erase(&store, large).await;
    store.scrub().await.unwrap();
    let after = size();
    assert!(after * 3 < before, "{before} bytes became {after}");
    let query = SampleQuery { limit: 1_000, ..SampleQuery::default() };
    assert_eq!(store.samples(small, &query).await.unwrap().rows.len(), 500);
    store.close().await;
}
