//! The store against a plain model.

use std::collections::BTreeSet;

use mien_relay::store::{Batch, Fate, GapQuery, Item, Outcome};
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

/// So many that the next few are one too many: what is said of gaps is coarser from there on, and nothing else is.
const ALMOST: u64 = 9_990;

async fn follow_far(place: &Place, commits: Vec<Commit>) -> Result<(), TestCaseError> {
    let store = place.open().await;
    let session = store.create_session("alice", "", "").await.unwrap().id;
    let main = SourceName::default();
    let (source, _) = store.open_source(session, &main).await.unwrap();
    let mut model = Model::default();
    let begun: Vec<Item> = (1..=ALMOST).map(|gap| item(gap * 2, true)).collect();
    for item in &begun {
        assert_eq!(model.take(item), Fate::Stored);
    }
    store.commit(&[Batch { source, items: begun }]).await.unwrap();
    for Commit { messages, .. } in commits {
        let message = |message: &Vec<(u64, bool)>| {
            // Half of them among the gaps that are kept as they are.
            let items = message.iter().map(|&(seq, valid)| item(2 * ALMOST - 30 + seq, valid));
            Batch { source, items: items.collect() }
        };
        let batches: Vec<Batch> = messages.iter().map(message).collect();
        for (batch, outcome) in batches.iter().zip(store.commit(&batches).await.unwrap()) {
            let fates: Vec<Fate> = batch.items.iter().map(|item| model.take(item)).collect();
            let Outcome::Taken(take) = outcome else { panic!("the session is active") };
            prop_assert_eq!((take.fates, take.through), (fates, model.through));
        }
    }
    let state = store.source_states(session).await.unwrap().remove(0);
    let (mut gaps, mut query) = (Vec::new(), GapQuery { limit: 777, ..GapQuery::default() });
    loop {
        let page = store.gaps(session, &query).await.unwrap();
        gaps.extend(page.rows);
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    prop_assert_eq!(state.gaps_total, gaps.len() as u64);
    prop_assert!(gaps.len() <= 10_000, "{} gaps", gaps.len());
    prop_assert_eq!(state.gaps_merged, gaps.iter().any(|gap| gap.merged));
    prop_assert!(gaps.is_sorted_by(|one, next| one.to < next.from), "they lie apart");
    let listed: Vec<[u64; 2]> = gaps.iter().take(1_000).map(|gap| [gap.from, gap.to]).collect();
    prop_assert_eq!(state.gaps, listed);
    // Nothing that is missing is left out, and only a merged gap has what came.
    let said: BTreeSet<u64> = gaps.iter().flat_map(|gap| gap.from..=gap.to).collect();
    prop_assert!(model.missing().iter().all(|seq| said.contains(seq)));
    for gap in gaps.iter().filter(|gap| !gap.merged) {
        prop_assert!(!(gap.from..=gap.to).any(|seq| model.stored.contains(&seq)));
    }
    // A seq that is refused twice is counted once at most.
    prop_assert!(state.rejected <= model.rejected.len() as u64);
    prop_assert_eq!(state.stored, model.stored.len() as u64);
    let samples = store.samples_after(session, &main, 0, u64::MAX, 20_000).await.unwrap();
    prop_assert_eq!(samples.iter().map(|sample| sample.seq).collect::<BTreeSet<_>>(), model.stored);
    store.close().await;
    Ok(())
}

fn runs_far(place: &Place, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(commits in proptest::collection::vec(any_commit(), 1..12))| {
        runtime.block_on(follow_far(place, commits))?;
    });
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
fn sqlite_merges_gaps_and_nothing_else() {
    runs_far(&Place::sqlite(), 24);
}

#[test]
fn postgres_merges_gaps_and_nothing_else() {
    if let Some(place) = Place::postgres() {
        runs_far(&place, 24);
    }
}

#[test]
fn postgres_does_what_the_model_does() {
    if let Some(place) = Place::postgres() {
        runs(&place, 48);
    }
}
