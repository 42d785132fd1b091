//! What relays say to each other through Redis, and the names of keys and channels.
//!
//! Samples travel as the message that watchers get, behind one line that says where in the source it stands;
//! everything else is rare and plain JSON.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sessions::Change;
use crate::live::{Piece, Presence};

/// Channel of what every relay must hear.
pub(super) const ALL: &str = "mien:all";
/// Names of the channels that carry samples begin so.
pub(super) const SAMPLES: &str = "mien:samples:";

/// Channel of a session's committed samples: heard where it has watchers.
pub(super) fn samples_channel(id: SessionId) -> String {
    format!("{SAMPLES}{id}")
}

/// Channel of a session's presence and claims: heard where anyone is connected to it.
pub(super) fn live_channel(id: SessionId) -> String {
    format!("mien:live:{id}")
}

/// Key of a source's recent window.
pub(super) fn window_key(id: SessionId, source: &SourceName) -> String {
    format!("mien:window:{id}:{source}")
}

/// Key that says that a session was erased, so that nothing of it is written any more.
pub(super) fn gone_key(id: SessionId) -> String {
    format!("mien:gone:{id}")
}

pub(super) fn presence_key(id: SessionId) -> String {
    format!("mien:presence:{id}")
}

pub(super) fn claim_key(id: SessionId, source: &SourceName) -> String {
    format!("mien:claim:{id}:{source}")
}

pub(super) fn session_key(id: SessionId) -> String {
    format!("mien:session:{id}")
}

pub(super) fn bucket_key(kind: &str, user: &str) -> String {
    format!("mien:rate:{kind}:{user}")
}

/// What is said on [`ALL`], sealed, and on [`live_channel`], where nothing is said that must be believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Notice {
    /// A session is no longer what caches may hold. On [`ALL`] alone.
    Changed { session: SessionId, change: Change },
    /// Who is connected to one replica now.
    Present { session: SessionId, replica: Uuid, presence: Presence },
    /// A connection took over a source. `at` is its place in the order of all claims.
    Claimed { session: SessionId, source: SourceName, at: u64 },
}

impl Notice {
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("notices are plain JSON")
    }
}

/// A piece as it travels: `before first through source`, a line end, and the watchers' message.
pub(super) fn write_piece(source: &SourceName, piece: &Piece) -> String {
    let Piece { before, through, first, text } = piece;
    format!("{before} {first} {through} {source}\n{text}")
}

/// Reads [`write_piece`]; `None` for what is no piece.
pub(super) fn read_piece(message: &[u8]) -> Option<(SourceName, Piece)> {
    let message = std::str::from_utf8(message).ok()?;
    let (head, text) = message.split_once('\n')?;
    let mut words = head.split(' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let (before, first, through) = (number()?, number()?, number()?);
    let source = words.next()?.parse().ok()?;
    let sound = words.next().is_none() && before < first && first <= through;
    sound.then(|| (source, Piece { before, through, first, text: text.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_reads_back() {
        let source: SourceName = "cam-2".parse().unwrap();
        let piece = Piece { before: 3, through: 9, first: 5, text: "{\"a\":\n1}".into() };
        assert_eq!(read_piece(write_piece(&source, &piece).as_bytes()), Some((source, piece)));
        for bad in ["", "1 2 3 main", "1 2 main\n{}", "2 2 3 main\n{}", "1 3 2 main\n{}", "1 2 3 A b\n{}"] {
            assert_eq!(read_piece(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(read_piece(&[0xff]), None);
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
