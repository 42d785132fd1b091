//! The store against a plain model.

use std::collections::BTreeSet;

use mien_relay::store::{Batch, Fate, Item, Outcome};
use mien_shared::Sample;
use mien_shared::api::SourceName;
use mien_shared::protocol::RefusedSample;
use proptest::prelude::*;

use crate::place::Place;

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
        Ok(Sample::new(seq, seq * 10, Vec::new()))
    } else {
        Err(RefusedSample { seq, detail: "wrong".into() })
    }
}

async fn follow(place: &Place, commits: Vec<Commit>) -> Result<(), TestCaseError> {
    let mut store = place.open().await;
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
            store = place.open().await;
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

fn runs(place: &Place, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(commits in proptest::collection::vec(any_commit(), 1..12))| {
        runtime.block_on(follow(place, commits))?;
    });
}

#[test]
fn sqlite_does_what_the_model_does() {
    runs(&Place::sqlite(), 48);
}

#[test]
fn postgres_does_what_the_model_does() {
    if let Some(place) = Place::postgres() {
        runs(&place, 48);
    }
}
