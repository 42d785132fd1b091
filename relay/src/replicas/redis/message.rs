//! What relays say to each other through Redis.
//!
//! Samples travel as the message that watchers get, after one line that says where in the source they belong;
//! everything else is rare and plain JSON.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::live::{Change, CommittedBatch, Presence};

/// A message on [`super::keys::ALL`], sealed, or on a session's channel, where nothing needs to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Notice {
    /// What caches hold of a session may be out of date. Only on [`super::keys::ALL`].
    Changed { session: SessionId, change: Change },
    /// Who is connected to one relay now.
    Present { session: SessionId, replica: Uuid, presence: Presence },
    /// A connection took over a source. `at` is its position in the order of all claims.
    Claimed { session: SessionId, source: SourceName, at: u64 },
}

impl Notice {
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("notices are plain JSON")
    }
}

/// A batch as it travels: `before first through source`, a newline, and the watchers' message.
pub(super) fn write_batch(source: &SourceName, batch: &CommittedBatch) -> String {
    let CommittedBatch { before, through, first, text } = batch;
    format!("{before} {first} {through} {source}\n{text}")
}

/// Reads [`write_batch`]; `None` for anything else.
pub(super) fn read_batch(message: &[u8]) -> Option<(SourceName, CommittedBatch)> {
    let message = std::str::from_utf8(message).ok()?;
    let (head, text) = message.split_once('\n')?;
    let mut words = head.split(' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let (before, first, through) = (number()?, number()?, number()?);
    let source = words.next()?.parse().ok()?;
    let sound = words.next().is_none() && before < first && first <= through;
    sound.then(|| (source, CommittedBatch { before, through, first, text: text.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_reads_back() {
        let source: SourceName = "cam-2".parse().unwrap();
        let batch = CommittedBatch { before: 3, through: 9, first: 5, text: "{\"a\":\n1}".into() };
        assert_eq!(read_batch(write_batch(&source, &batch).as_bytes()), Some((source, batch)));
        for bad in ["", "1 2 3 main", "1 2 main\n{}", "2 2 3 main\n{}", "1 3 2 main\n{}", "1 2 3 A b\n{}"] {
            assert_eq!(read_batch(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(read_batch(&[0xff]), None);
    }

    #[test]
    fn a_notice_reads_back() {
        let session = SessionId(Uuid::now_v7());
        let claimed = format!(
            "{{\"type\":\"claimed\",\"session\":\"{session}\",\"source\":\"main\",\"at\":1763907600123}}"
        );
        assert_eq!(
            serde_json::from_str::<Notice>(&claimed).unwrap(),
            Notice::Claimed { session, source: SourceName::default(), at: 1_763_907_600_123 },
            "as the script writes it"
        );
        let erased = Notice::Changed { session, change: Change::Erased };
        assert_eq!(serde_json::from_str::<Notice>(&erased.to_json()).unwrap(), erased);
    }
}
