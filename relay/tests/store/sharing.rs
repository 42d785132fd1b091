//! Several writers at once: lanes of one relay, and relays that share a database.

use mien_relay::config::Quota;
use mien_relay::store::{Batch, Fate, Item, Outcome, SampleQuery, SourceKey, Store, StoreError, Take};
use mien_shared::api::{PatchSession, SourceName};
use mien_shared::{Sample, SessionId, SessionStatus};

use crate::place::{Place, over_both};

over_both!(
    two_relays_store_each_sample_once,
    a_session_that_ends_takes_nothing_more,
    an_erased_session_is_swept_while_others_go_on,
    a_users_sessions_are_counted_over_all_relays,
    sources_are_opened_once_and_not_without_end,
    markers_are_not_put_without_end,
);

fn batch(source: SourceKey, seqs: impl IntoIterator<Item = u64>) -> Batch {
    let item = |seq| Item::Ok(Sample::new(seq, seq, Vec::new()));
    Batch { source, items: seqs.into_iter().map(item).collect() }
}

fn taken(outcome: Outcome) -> Take {
    match outcome {
        Outcome::Taken(take) => take,
        Outcome::Ended => panic!("the session is active"),
    }
}

/// As often as it takes: one of two writers of a SQLite file may find it busy.
async fn commit(store: &Store, batches: &[Batch]) -> Vec<Outcome> {
    loop {
        match store.commit(batches).await {
            Ok(outcomes) => return outcomes,
            Err(StoreError::Database(cause)) if cause.to_string().contains("locked") => {}
            Err(cause) => panic!("{cause}"),
        }
    }
}

async fn session(store: &Store) -> SessionId {
    session_of(store, "alice").await
}

async fn session_of(store: &Store, user: &str) -> SessionId {
    store.create_session(user, "", "").await.unwrap().id
}

/// Both send the same to the same sources, in different order: as when sources move between relays, and send
/// again what was not acked.
pub(crate) async fn two_relays_store_each_sample_once(place: &Place) {
    const SOURCES: usize = 8;
    const ROUNDS: u64 = 30;
    let stores = [place.open().await, place.open().await];
    let id = session(&stores[0]).await;
    let mut sources = Vec::new();
    for number in 0..SOURCES {
        let name: SourceName = format!("s{number}").parse().unwrap();
        sources.push(stores[number % 2].open_source(id, &name).await.unwrap().0);
    }
    let mut writers = tokio::task::JoinSet::new();
    for (number, store) in stores.iter().enumerate() {
        let (store, mut sources) = (store.clone(), sources.clone());
        writers.spawn(async move {
            let mut stored = 0;
            for round in 0..ROUNDS {
                sources.rotate_left(number + 1);
                let seqs = round * 5 + 1..=round * 5 + 5;
                let batches: Vec<Batch> = sources.iter().map(|source| batch(*source, seqs.clone())).collect();
                for outcome in commit(&store, &batches).await {
                    let take = taken(outcome);
                    assert!(take.through >= *seqs.end());
                    let is_new = |fate: &&Fate| **fate == Fate::Stored;
                    assert!(take.fates.iter().all(|fate| matches!(fate, Fate::Stored | Fate::Duplicate)));
                    stored += take.fates.iter().filter(is_new).count();
                }
            }
            stored
        });
    }
    let stored: usize = writers.join_all().await.into_iter().sum();
    assert_eq!(stored, SOURCES * ROUNDS as usize * 5, "each counted as new by one of them");
    for state in stores[0].source_states(id).await.unwrap() {
        assert_eq!((state.through, state.stored, state.rejected), (ROUNDS * 5, ROUNDS * 5, 0));
        let samples = stores[1].samples_after(id, &state.source, 0, u64::MAX, 1_000).await.unwrap();
        assert!(samples.iter().map(|sample| sample.seq).eq(1..=ROUNDS * 5));
    }
}

/// What is read once the session has ended is all there will ever be.
pub(crate) async fn a_session_that_ends_takes_nothing_more(place: &Place) {
    let store = place.open().await;
    let other = place.open().await;
    for round in 0..10 {
        let id = session(&store).await;
        let (source, _) = store.open_source(id, &SourceName::default()).await.unwrap();
        let (committed, mut commits) = tokio::sync::watch::channel(0);
        let writer = tokio::spawn({
            let store = store.clone();
            async move {
                loop {
                    let through = *committed.borrow();
                    match commit(&store, &[batch(source, [through + 1])]).await.remove(0) {
                        Outcome::Taken(take) => drop(committed.send_replace(take.through)),
                        Outcome::Ended => return through,
                    }
                }
            }
        });
        // Before the first commit, and ever later among them.
        commits.wait_for(|through| *through >= round).await.unwrap();
        let patch = PatchSession { title: None, status: Some(SessionStatus::Completed) };
        loop {
            match other.update_session(id, &patch).await {
                Ok(session) => break assert!(session.is_some()),
                Err(StoreError::Database(cause)) if cause.to_string().contains("locked") => {}
                Err(cause) => panic!("{cause}"),
            }
        }
        let last = other.throughs(id).await.unwrap()[0].1;
        assert_eq!(writer.await.unwrap(), last);
        assert!(matches!(store.open_source(id, &SourceName::default()).await, Err(StoreError::Ended)));
    }
}

pub(crate) async fn an_erased_session_is_swept_while_others_go_on(place: &Place) {
    let store = place.open().await;
    let (gone, kept) = (session(&store).await, session(&store).await);
    let main = SourceName::default();
    let (doomed, _) = store.open_source(gone, &main).await.unwrap();
    let (source, _) = store.open_source(kept, &main).await.unwrap();
    for round in 0..6 {
        let seqs = round * 1_001 + 2..=round * 1_001 + 1_001;
        taken(store.commit(&[batch(doomed, seqs)]).await.unwrap().remove(0));
    }
    store.create_marker(gone, 1, "a", None).await.unwrap();
    assert!(store.delete_session(gone).await.unwrap());
    assert!(!store.delete_session(gone).await.unwrap());
    assert_eq!(store.commit(&[batch(doomed, [10_000])]).await.unwrap(), [Outcome::Ended]);
    assert!(matches!(store.create_marker(gone, 1, "a", None).await, Err(StoreError::Ended)));
    assert!(store.markers(gone).await.unwrap().is_empty());
    let query = SampleQuery { limit: 10, ..SampleQuery::default() };
    assert!(store.samples(gone, &query).await.unwrap().rows.is_empty());
    let sweep = tokio::spawn({
        let store = store.clone();
        async move { store.sweep(None).await }
    });
    for seq in 1..=20 {
        taken(store.commit(&[batch(source, [seq])]).await.unwrap().remove(0));
    }
    sweep.await.unwrap().unwrap();
    assert!(store.throughs(gone).await.unwrap().is_empty(), "the source went last");
    assert_eq!(store.throughs(kept).await.unwrap(), [(main, 20)]);
}

pub(crate) async fn a_users_sessions_are_counted_over_all_relays(place: &Place) {
    const MOST: u32 = 7;
    let quota = Quota { sessions: MOST, ..Quota::default() };
    let stores = [place.open().await.with_quota(quota), place.open().await.with_quota(quota)];
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..6 * MOST as usize {
        let store = stores[number % 2].clone();
        asked.spawn(async move { store.create_session("alice", "", "").await });
    }
    let answers = asked.join_all().await;
    let over =
        answers.iter().filter(|answer| matches!(answer, Err(StoreError::TooManySessions(MOST)))).count();
    assert_eq!((answers.iter().flatten().count(), over), (MOST as usize, 5 * MOST as usize), "{answers:?}");
    assert_eq!(stores[0].list_sessions("alice", None, 100).await.unwrap().rows.len(), MOST as usize);
    session_of(&stores[1], "bob").await;
    let one = answers.into_iter().find_map(Result::ok).unwrap();
    assert!(stores[0].delete_session(one.id).await.unwrap());
    session_of(&stores[1], "alice").await;
}

pub(crate) async fn sources_are_opened_once_and_not_without_end(place: &Place) {
    use mien_shared::limits::MAX_SOURCES;
    let store = place.open().await;
    let id = session(&store).await;
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..MAX_SOURCES * 2 {
        let store = store.clone();
        let name: SourceName = format!("s{}", number % MAX_SOURCES).parse().unwrap();
        asked.spawn(async move { store.open_source(id, &name).await.unwrap() });
    }
    asked.join_all().await;
    assert_eq!(store.throughs(id).await.unwrap().len(), MAX_SOURCES);
    let more = store.open_source(id, &"more".parse().unwrap()).await;
    assert!(matches!(more, Err(StoreError::TooManySources(_))));
    let unknown = store.open_source(SessionId(uuid::Uuid::now_v7()), &SourceName::default()).await;
    assert!(matches!(unknown, Err(StoreError::Ended)));
}

pub(crate) async fn markers_are_not_put_without_end(place: &Place) {
    use mien_shared::limits::MAX_MARKERS;
    let store = place.open().await;
    let id = session(&store).await;
    let mut asked = tokio::task::JoinSet::new();
    for at in 0..MAX_MARKERS as u64 + 20 {
        let store = store.clone();
        asked.spawn(async move { store.create_marker(id, at, "again", None).await });
    }
    let answers = asked.join_all().await;
    let refused =
        answers.iter().filter(|answer| matches!(answer, Err(StoreError::TooManyMarkers(_)))).count();
    assert_eq!((refused, store.markers(id).await.unwrap().len()), (20, MAX_MARKERS));
    let one = answers.into_iter().find_map(Result::ok).unwrap();
    assert!(store.delete_marker(id, one.id).await.unwrap());
    store.create_marker(id, 1, "room again", None).await.unwrap();
}
