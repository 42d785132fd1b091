//! Sessions that nobody completed, by the relay's own clock.

use std::time::Duration;

use jiff::Timestamp;
use mien_relay::clock;
use mien_relay::store::{Batch, Item, Store};
use mien_shared::api::{PatchSession, SourceName};
use mien_shared::{Sample, SessionId, SessionStatus};

use crate::place::{Place, over_both};

over_both!(what_was_left_open_is_found_by_when_it_was_last_stored);

async fn store_one(store: &Store, id: SessionId, at: u64) {
    let (source, _) = store.open_source(id, &SourceName::default()).await.unwrap();
    let items = vec![Item::Ok(Sample::new(1, at, Vec::new()))];
    store.commit(&[Batch { source, items }]).await.unwrap();
}

/// A moment after all that was stored before, as far as the store tells moments apart.
async fn a_moment_later() -> Timestamp {
    tokio::time::sleep(Duration::from_millis(2)).await;
    clock::now()
}

pub(crate) async fn what_was_left_open_is_found_by_when_it_was_last_stored(place: &Place) {
    let store = place.open().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(store.create_session("alice", "", "").await.unwrap().id);
    }
    let [empty, early, late, completed] = ids[..] else { unreachable!() };
    let begin = clock::now() - Duration::from_hours(1);
    // By its source's clock, in the far future and long ago.
    store_one(&store, early, 4_000_000_000_000).await;
    let between = a_moment_later().await;
    store_one(&store, late, 1_000).await;
    let patch = PatchSession { title: None, status: Some(SessionStatus::Completed) };
    store.update_session(completed, &patch).await.unwrap();
    let end = a_moment_later().await;

    for (before, after, limit, found) in [
        (begin, None, 10, vec![]),
        (between, None, 10, vec![empty, early]),
        (end, None, 10, vec![empty, early, late]),
        (end, None, 1, vec![empty]),
        (end, Some(empty), 1, vec![early]),
        (end, Some(late), 10, vec![]),
    ] {
        assert_eq!(
            store.abandoned_sessions(before, after, limit).await.unwrap(),
            found,
            "{before} {after:?}"
        );
    }
    assert_eq!(store.count_sessions().await.unwrap(), 4);
    store.close().await;
}
