//! What holds of every text that the relay reads, however it came about. The fuzz targets in `tests/fuzz` call
//! the same functions.

use mien_shared::limits::{MAX_BATCH, MAX_SAFE_INTEGER};
use mien_shared::protocol::{
    IngestMessage, IngestRequest, RefusedSample, WatchHello, WatchRequest, read_ingest, read_watch,
};
use mien_shared::{Code, Sample};

/// A sample that is refused alone.
const BAD: &str = r#"{"seq":1,"at":-1,"faces":[]}"#;

/// Reads a message of a source's client. What is let through is valid and survives the way back and forth;
/// what is refused is refused for a reason that the contract knows.
pub(crate) fn ingest(text: &str) {
    match read_ingest(text) {
        Ok(IngestMessage::Hello { token }) => {
            let again = serde_json::to_string(&IngestRequest::Hello { token: &token }).expect("plain JSON");
            assert_eq!(read_ingest(&again), Ok(IngestMessage::Hello { token }));
        }
        Ok(IngestMessage::Samples(items)) => samples(&items),
        Err(fault) => {
            let known = [Code::Malformed, Code::UnknownType, Code::EmptyBatch, Code::TooManySamples];
            assert!(known.contains(&fault.code), "{fault}");
            assert!(!fault.detail.is_empty());
        }
    }
}

fn samples(items: &[Result<Sample, RefusedSample>]) {
    assert!((1..=MAX_BATCH).contains(&items.len()));
    let mut good = Vec::new();
    for item in items {
        match item {
            Ok(sample) => {
                assert_eq!(sample.validate(), Ok(()));
                good.push(sample.clone());
            }
            Err(refused) => {
                assert!((1..=MAX_SAFE_INTEGER).contains(&refused.seq));
                assert!(!refused.detail.is_empty());
            }
        }
    }
    if good.is_empty() {
        return;
    }
    let again = serde_json::to_string(&IngestRequest::Samples { samples: &good }).expect("plain JSON");
    assert_eq!(kept(&again), good, "read as a whole");
    if good.len() < MAX_BATCH {
        // A bad one at the end has the message read sample by sample, which must make no difference.
        let list = again.strip_suffix("]}").expect("a list ends the message");
        let spoiled = format!("{list},{BAD}]}}");
        assert_eq!(kept(&spoiled), good, "read one by one");
    }
}

fn kept(text: &str) -> Vec<Sample> {
    match read_ingest(text) {
        Ok(IngestMessage::Samples(items)) => items.into_iter().filter_map(Result::ok).collect(),
        other => panic!("not samples: {other:?}"),
    }
}

/// Reads a message of a watcher.
pub(crate) fn watch(text: &str) {
    match read_watch(text) {
        Ok(hello) => {
            let WatchHello { token, since } = &hello;
            assert!(since.iter().flatten().all(|(_, seq)| *seq <= MAX_SAFE_INTEGER));
            let again = WatchRequest::Hello { token, since: since.as_ref() };
            let again = serde_json::to_string(&again).expect("plain JSON");
            assert_eq!(read_watch(&again), Ok(hello.clone()));
        }
        Err(fault) => {
            assert!([Code::Malformed, Code::UnknownType].contains(&fault.code), "{fault}");
            assert!(!fault.detail.is_empty());
        }
    }
}
