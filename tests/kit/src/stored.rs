//! What must hold in the end: everything acked is stored, exactly once, as it was sent.

use std::collections::{BTreeMap, BTreeSet};

use mien_shared::Code;
use mien_shared::SessionId;

use crate::api::Api;
use crate::load::Account;
use crate::samples::sample;
use crate::watcher::Seen;

/// Compares the store with what these sources sent: it must have all of it, and nothing else.
pub async fn assert_stored_once(api: &Api, session: SessionId, accounts: &[Account]) {
    let mut stored: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let faces: BTreeMap<&str, usize> =
        accounts.iter().map(|account| (account.source.as_str(), account.load.faces)).collect();
    for one in api.stored(session).await {
        let source = one.source.as_str();
        assert_eq!(one.sample, sample(one.sample.seq, faces[source]), "{source}: not what was sent");
        stored.entry(source.to_owned()).or_default().push(one.sample.seq);
    }
    let summary = api.summary(session).await;
    for account in accounts {
        let source = &account.source;
        let expected: Vec<u64> = account.expected().into_iter().collect();
        let seqs = stored.remove(source).unwrap_or_default();
        assert_eq!(difference(&expected, &seqs), (vec![], vec![]), "{source}: missing, and never sent");
        assert_eq!(seqs, expected, "{source}: each once, in order");
        assert!(
            account
                .rejected
                .iter()
                .all(|(seq, code)| account.load.is_spoiled(*seq) && *code == Code::InvalidSample),
            "{source}: only what is spoiled is refused"
        );
        let said = summary.sources.iter().find(|one| one.source.as_str() == source);
        let Some(said) = said else {
            assert_eq!(account.made, 0, "{source} is not in the summary");
            continue;
        };
        assert_eq!((said.stored, said.acked), (expected.len() as u64, account.made), "{source}: summary");
        assert_eq!(said.gaps, Vec::<[u64; 2]>::new(), "{source}: gaps");
    }
    assert!(stored.is_empty(), "sources that nobody was: {:?}", stored.keys());
}

/// A watcher from the beginning saw everything that is stored, once, in order, without gaps.
pub fn assert_saw_all(seen: &Seen, accounts: &[Account]) {
    for account in accounts {
        let expected: Vec<u64> = account.expected().into_iter().collect();
        let none = Vec::new();
        let source = account.source.parse().expect("a source's name");
        let seqs = seen.seqs.get(&source).unwrap_or(&none);
        assert_eq!(difference(&expected, seqs), (vec![], vec![]), "{source}: unseen, and never stored");
        assert_eq!(*seqs, expected, "{source}: each once, in order");
    }
}

/// What only the first has, and what only the second has.
fn difference(first: &[u64], second: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let (one, other): (BTreeSet<u64>, BTreeSet<u64>) =
        (first.iter().copied().collect(), second.iter().copied().collect());
    (one.difference(&other).copied().collect(), other.difference(&one).copied().collect())
}
