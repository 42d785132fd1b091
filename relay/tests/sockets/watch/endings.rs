//! Sessions that are completed or erased while somebody watches.

use futures_util::FutureExt;
use mien_relay::store::{Fate, Take};
use mien_shared::api::{PatchSession, SourceName};
use mien_shared::{Sample, SessionStatus};
use serde_json::{Value, json};

use mien_in_process::Relay;

#[tokio::test]
async fn a_completed_session_is_told_to_its_end() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut watcher, _) = relay.watch(session, Value::Null).await;
    let (mut source, _) = relay.ingest(session).await;
    source.send_in_parts(1..=700).await;
    relay.complete(session).await;
    let stored = relay.stored(session).await;
    let seqs = |messages: &[Value]| -> Vec<u64> {
        let samples = messages.iter().filter(|message| message["type"] == "samples");
        samples
            .flat_map(|message| message["samples"].as_array().unwrap())
            .map(|sample| sample["seq"].as_u64().unwrap())
            .collect()
    };
    let ended = json!({"type": "session", "status": "completed"});
    let (code, messages) = watcher.closed().await;
    assert_eq!((code, messages.last()), (1000, Some(&ended)));
    assert_eq!(seqs(&messages), stored);
    for (since, expected) in [
        (json!({}), stored.as_slice()),
        (json!({"main": 3}), stored.get(3..).unwrap_or_default()),
        (Value::Null, &[]),
    ] {
        let (mut late, welcome) = relay.watch(session, since).await;
        assert_eq!(welcome["status"], "completed");
        let (code, messages) = late.closed().await;
        assert_eq!((code, messages.last()), (1000, Some(&ended)));
        assert_eq!(seqs(&messages), expected);
    }
}

#[tokio::test]
async fn an_erased_session_ends_its_watchers() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut watcher, _) = relay.watch(session, json!({})).await;
    relay.state.erase_session(session).await.unwrap();
    assert_eq!(watcher.close_code().await, 4410);
}

/// As after an erasure whose answer came too late: the one who tries again tells it.
#[tokio::test]
async fn an_erasure_that_was_told_to_nobody_is_told_when_it_is_tried_again() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut watcher, _) = relay.watch(session, json!({})).await;
    assert!(relay.state.store.delete_session(session).await.unwrap());
    relay.state.erase_session(session).await.unwrap();
    assert_eq!(watcher.close_code().await, 4410);
}

/// Another relay commits and ends; this one remembers less than the store has.
#[tokio::test]
async fn what_was_committed_elsewhere_before_the_end_is_seen() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (_first, _) = relay.watch(session, Value::Null).await;
    let (mut source, _) = relay.ingest(session).await;
    source.send(1..=3).await;
    source.acked(3).await;
    relay.commit_unheard(session, 4..=6).await;
    let patch = PatchSession { title: None, status: Some(SessionStatus::Completed) };
    relay.state.store.update_session(session, &patch).await.unwrap();
    relay.state.cache.forget(session).await;
    let (mut late, welcome) = relay.watch(session, json!({"main": 1})).await;
    assert_eq!(welcome["status"], "completed");
    assert_eq!(late.watched(6).await, [2, 3, 4, 5, 6]);
    assert_eq!(late.close_code().await, 1000);
}

/// Nobody told this relay of the erasure; the watcher finds nothing where samples should be.
#[tokio::test]
async fn a_watcher_that_reads_an_erased_session_is_told_so() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut watcher, _) = relay.watch(session, json!({})).await;
    relay.state.store.delete_session(session).await.unwrap();
    let take = Take { before: 3, through: 4, fates: vec![Fate::Stored] };
    let last = Sample::new(4, 4, Vec::new());
    relay.state.hub.join(session).publish(&SourceName::default(), &take, &[&last]);
    assert_eq!(watcher.close_code().await, 4410);
}

/// As a client does that hangs up while the database works.
#[tokio::test]
async fn a_completion_whose_caller_is_gone_is_told_all_the_same() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut watcher, _) = relay.watch(session, Value::Null).await;
    let patch = PatchSession { title: None, status: Some(SessionStatus::Completed) };
    assert!(relay.state.update_session(session, &patch).now_or_never().is_none(), "it takes a while");
    let (code, before) = watcher.closed().await;
    assert_eq!((code, before.last().unwrap()["status"].clone()), (1000, json!("completed")));
}
