//! The store against a plain model, and what it refuses to open.

use std::collections::BTreeSet;

use mien_relay::metrics::Metrics;
use mien_relay::store::{Batch, Fate, Item, Outcome, SampleQuery, Store, StoreError};
use mien_shared::Sample;
use mien_shared::api::SourceName;
use mien_shared::protocol::RefusedSample;
use proptest::prelude::*;
use sqlx::{Connection, SqliteConnection};

async fn open(folder: &std::path::Path) -> Result<Store, StoreError> {
    Store::open(&format!("sqlite:{}", folder.join("mien.db").display()), 3, &Metrics::new()).await
}

/// What the contract says about one source, in the plainest way.
#[derive(Default)]
struct Model {
    stored: BTreeSet<u64>,
    rejected: BTreeSet<u64>,
    through: u64,
}

impl Model {
    fn take(&mut self, item: &Item) -> Fate {
        let (seq, valid) = match item {
            Ok(sample) => (sample.seq, true),
            Err(refused) => (refused.seq, false),
        };
        let late = seq <= self.through;
        self.through = self.through.max(seq);
        match (valid, late) {
            (true, false) => {
                self.stored.insert(seq);
                Fate::Stored
            }
            (true, true) if self.stored.contains(&seq) => Fate::Duplicate,
            (true, true) => {
                self.rejected.insert(seq);
                Fate::OutOfOrder
            }
            (false, _) => {
                if !self.stored.contains(&seq) {
                    self.rejected.insert(seq);
                }
                Fate::Invalid
            }
        }
    }

    fn missing(&self) -> Vec<u64> {
        (1..=self.through).filter(|seq| !self.stored.contains(seq) && !self.rejected.contains(seq)).collect()
    }
}

/// What happens to a source: messages with lost, repeated and disordered samples, several to a commit, and
/// restarts between commits.
#[derive(Clone, Debug)]
struct Commit {
    messages: Vec<Vec<(u64, bool)>>,
    restart: bool,
}

fn any_commit() -> impl Strategy<Value = Commit> {
    let message = proptest::collection::vec((1..60_u64, proptest::bool::weighted(0.85)), 1..12);
    (proptest::collection::vec(message, 1..4), proptest::bool::weighted(0.1))
        .prop_map(|(messages, restart)| Commit { messages, restart })
}

fn item(seq: u64, valid: bool) -> Item {
    if valid {
        Ok(Sample { seq, at: seq * 10, faces: Vec::new() })
    } else {
        Err(RefusedSample { seq, detail: "wrong".into() })
    }
}

async fn follow(commits: Vec<Commit>) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).await.unwrap();
    let session = store.create_session("alice", "", "").await.unwrap().id;
    let main = SourceName::default();
    let (source, _) = store.open_source(session, &main).await.unwrap();
    let mut model = Model::default();
    for Commit { messages, restart } in commits {
        let batches: Vec<Batch> = messages
            .iter()
            .map(|message| Batch {
                source,
                items: message.iter().map(|&(seq, valid)| item(seq, valid)).collect(),
            })
            .collect();
        let outcomes = store.commit(&batches).await.unwrap();
        for (batch, outcome) in batches.iter().zip(outcomes) {
            let before = model.through;
            let fates: Vec<Fate> = batch.items.iter().map(|item| model.take(item)).collect();
            let Outcome::Taken(take) = outcome else { panic!("the session is active") };
            prop_assert_eq!(take.fates, fates);
            prop_assert_eq!((take.before, take.through), (before, model.through));
        }
        if restart {
            store.close().await;
            store = open(folder.path()).await.unwrap();
        }
        let (again, through) = store.open_source(session, &main).await.unwrap();
        prop_assert_eq!((again, through), (source, model.through));
    }
    let states = store.source_states(session).await.unwrap();
    let missing: Vec<u64> = states[0].gaps.iter().flat_map(|&[first, last]| first..=last).collect();
    prop_assert_eq!(missing, model.missing());
    prop_assert_eq!(states[0].stored, model.stored.len() as u64);
    prop_assert_eq!(states[0].rejected, model.rejected.len() as u64);
    let samples = store.samples_after(session, &main, 0, u64::MAX, 1_000).await.unwrap();
    prop_assert_eq!(samples.iter().map(|sample| sample.seq).collect::<BTreeSet<_>>(), model.stored);
    store.close().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_model_does(commits in proptest::collection::vec(any_commit(), 1..12)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(follow(commits))?;
    }
}

/// Times go up, or not: pages must be the same either way.
#[tokio::test]
async fn pages_are_complete_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let session = store.create_session("alice", "", "").await.unwrap().id;
    let mut all = Vec::new();
    for (name, at) in [("a", (|seq| seq * 10) as fn(u64) -> u64), ("b", |seq| 10_000 - seq * 7)] {
        let name: SourceName = name.parse().unwrap();
        let (source, _) = store.open_source(session, &name).await.unwrap();
        let items: Vec<Item> =
            (1..=700).map(|seq| Ok(Sample { seq, at: at(seq), faces: Vec::new() })).collect();
        store.commit(&[Batch { source, items }]).await.unwrap();
        all.extend((1..=700).map(|seq| (name.clone(), seq, at(seq))));
    }
    for (from, to) in [
        (None, None),
        (Some(3_000), None),
        (None, Some(6_000)),
        (Some(5_150), Some(5_990)),
        (Some(90_000), None),
    ] {
        for source in [None, Some("b")] {
            let source: Option<SourceName> = source.map(|name| name.parse().unwrap());
            let expected: Vec<(SourceName, u64, u64)> = all
                .iter()
                .filter(|(name, _, at)| {
                    source.as_ref().is_none_or(|source| source == name)
                        && from.is_none_or(|from| *at >= from)
                        && to.is_none_or(|to| *at < to)
                })
                .cloned()
                .collect();
            let mut query = SampleQuery { source: source.clone(), from, to, after: None, limit: 97 };
            let mut read = Vec::new();
            loop {
                let page = store.samples(session, &query).await.unwrap();
                read.extend(page.rows.into_iter().map(|row| (row.source, row.sample.seq, row.sample.at)));
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            assert_eq!(read, expected, "{from:?} {to:?} {source:?}");
            let mut chunks = store.sample_chunks(session, SampleQuery { after: None, ..query });
            let mut count = 0;
            while let Some(chunk) = chunks.next().await.unwrap() {
                count += chunk.len();
            }
            assert_eq!(count, expected.len());
        }
    }
}

#[tokio::test]
async fn a_foreign_or_newer_database_is_refused_with_a_reason() {
    let check = async |sql: &'static str, words: &str| {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).await.unwrap().close().await;
        let url = format!("sqlite:{}", folder.path().join("mien.db").display());
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
        let refused = open(folder.path()).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    };
    check("PRAGMA application_id = 7", "belongs to another program").await;
    check("PRAGMA application_id = 0", "belongs to another program").await;
    check(
        "INSERT INTO _sqlx_migrations SELECT version + 1000, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations",
        "a newer mien-relay wrote it",
    )
    .await;
    check("UPDATE _sqlx_migrations SET checksum = x'00'", "not the one that this mien-relay knows").await;
}

#[tokio::test]
async fn sessions_are_listed_newest_first_and_go_one_way() {
    use mien_shared::SessionStatus::{Active, Completed};
    use mien_shared::api::PatchSession;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(store.create_session("alice", "", "").await.unwrap());
    }
    store.create_session("bob", "", "").await.unwrap();
    made.reverse();
    let mut read = Vec::new();
    let mut after = None;
    loop {
        let page = store.list_sessions("alice", after, 2).await.unwrap();
        read.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(read, made);
    let id = made[0].id;
    let patch = |status| PatchSession { title: Some("new".into()), status };
    let done = store.update_session(id, &patch(Some(Completed))).await.unwrap().unwrap();
    assert_eq!((done.status, done.title.as_str()), (Completed, "new"));
    assert_eq!(store.update_session(id, &patch(Some(Completed))).await.unwrap().unwrap(), done);
    assert!(matches!(store.update_session(id, &patch(Some(Active))).await, Err(StoreError::Conflict)));
    assert_eq!(store.session(id).await.unwrap(), Some(done));
    let source = SourceName::default();
    assert!(matches!(store.open_source(id, &source).await, Err(StoreError::Ended)));
}
