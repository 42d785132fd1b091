//! The load: messages of samples with one face each, as in the contract's own example.

use std::io::Write as _;

/// What follows `seq` in the contract's example.
const FACES: &str = r#","faces":[{"id":1,"box":[0.31,0.22,0.18,0.24],"expression":"happiness","scores":[0.05,0.91,0.01,0.01,0.01,0.0,0.01],"quality":0.93}]}"#;
/// `at` of the first sample, Unix milliseconds; one is taken every 200 ms.
const FIRST_AT: u64 = 1_763_907_600_123;
const AT_STEP: u64 = 200;

/// Replaces `text` with the message of samples `first` … `first + count − 1`.
pub(crate) fn samples(text: &mut Vec<u8>, first: u64, count: u64) {
    text.clear();
    text.extend_from_slice(br#"{"type":"samples","samples":["#);
    for seq in first..first + count {
        if seq > first {
            text.push(b',');
        }
        let at = FIRST_AT + seq * AT_STEP;
        write!(text, r#"{{"seq":{seq},"at":{at}{FACES}"#).expect("writing to a Vec cannot fail");
    }
    text.extend_from_slice(b"]}");
}

/// `through` of an ack; `None` for any other message.
pub(crate) fn ack(text: &str) -> Option<u64> {
    text.strip_prefix(r#"{"type":"ack","through":"#)?.strip_suffix('}')?.parse().ok()
}

/// The seqs of the samples in a message to a watcher, as the relay writes it.
pub(crate) fn seqs(text: &str) -> impl Iterator<Item = u64> {
    text.split(r#"{"seq":"#).skip(1).filter_map(|rest| rest.split(',').next()?.parse().ok())
}

/// The faces of each sample as the relay's store keeps them: one version byte and 53 bytes.
pub(crate) const STORED_FACES_BYTES: usize = 54;

/// `at` of a sample.
pub(crate) fn at(seq: u64) -> u64 {
    FIRST_AT + seq * AT_STEP
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::api::SourceName;
    use mien_shared::protocol::{IngestMessage, IngestReply, WatchReply, read_ingest};

    #[test]
    fn the_load_is_valid() {
        let mut text = Vec::new();
        samples(&mut text, 7, 3);
        let Ok(IngestMessage::Samples(read)) = read_ingest(std::str::from_utf8(&text).unwrap()) else {
            panic!("not samples")
        };
        let read: Vec<_> = read.into_iter().map(Result::unwrap).collect();
        assert_eq!(read.iter().map(|sample| sample.seq).collect::<Vec<_>>(), [7, 8, 9]);
        assert!(read.iter().all(|sample| sample.faces.len() == 1 && sample.at == at(sample.seq)));
        let reply = WatchReply::Samples { source: SourceName::default(), samples: read };
        assert_eq!(seqs(&serde_json::to_string(&reply).unwrap()).collect::<Vec<_>>(), [7, 8, 9]);
    }

    #[test]
    fn acks_are_told_from_the_rest() {
        assert_eq!(ack(&serde_json::to_string(&IngestReply::Ack { through: 17 }).unwrap()), Some(17));
        assert_eq!(ack(r#"{"type":"throttle","from":1,"retry_after_ms":1}"#), None);
    }
}
