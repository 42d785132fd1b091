//! What a sender asks for besides its link's own effects.

use mien_shared::{Code, Sample};

use super::ledger::Numbers;

/// For one transaction: rows (key and sample), if there are any, and numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Save {
    pub(crate) rows: Vec<(u64, Sample)>,
    pub(crate) numbers: Numbers,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Answered by `Sender::saved`.
    Save(Save),
    /// Deletes rows up to this key, if there is a disk. Nothing waits for it.
    Delete {
        through_key: u64,
    },
    /// Reads rows by key, both ends included; answered by `Sender::read`.
    Read {
        from_key: u64,
        to_key: u64,
    },
    Rejected {
        seq: u64,
        code: Code,
        detail: String,
    },
    /// The token is about to expire: `Sender::renew` takes another. Repeated until there is one.
    TokenExpiring,
}
