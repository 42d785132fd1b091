//! What the contract says of one source.

use std::collections::BTreeSet;

/// What the contract says about one source, in the plainest way.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) stored: BTreeSet<u64>,
    pub(crate) rejected: BTreeSet<u64>,
    pub(crate) through: u64,
}

impl Model {
    /// Takes a message, and says which of its seqs are refused and why.
    pub(crate) fn take(&mut self, message: &[(u64, bool)]) -> Vec<(u64, &'static str)> {
        let mut refused = Vec::new();
        for &(seq, good) in message {
            let late = seq <= self.through;
            self.through = self.through.max(seq);
            match (good, late) {
                (true, false) => {
                    self.stored.insert(seq);
                }
                (true, true) if self.stored.contains(&seq) => {}
                (true, true) => {
                    self.rejected.insert(seq);
                    refused.push((seq, "out_of_order"));
                }
                (false, _) => {
                    if !self.stored.contains(&seq) {
                        self.rejected.insert(seq);
                    }
                    refused.push((seq, "invalid_sample"));
                }
            }
        }
        refused
    }
}
