//! Sentences about samples that wait for the relay.

use super::format;

/// Samples that wait for the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsent {
    pub count: u64,
    /// Whether this page has the only copy.
    pub in_memory: bool,
}

impl Unsent {
    /// While they are being sent.
    pub fn sending_text(self) -> String {
        let count = format::count(self.count, "sample is", "samples are");
        if self.in_memory {
            format!(
                "{count} not stored yet, and only this page has them: keep it open until they are stored."
            )
        } else {
            format!("{count} still on the way; nothing was lost.")
        }
    }

    /// Where they are kept; empty if there are none. `whose`: what they belong to, such as `Its`.
    pub fn kept_text(self, whose: &str) -> String {
        let place = if self.in_memory { "only in this page: keep it open" } else { "in this browser" };
        match self.count {
            0 => String::new(),
            1 => format!("{whose} 1{}unsent sample is kept {place}.", format::NBSP),
            count => {
                format!("{whose} {}{}unsent samples are kept {place}.", format::grouped(count), format::NBSP)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsent(count: u64, in_memory: bool) -> Unsent {
        Unsent { count, in_memory }
    }

    #[test]
    fn the_only_copy_is_said_to_be_the_only_one() {
        let text = unsent(1, false).sending_text().replace(format::NBSP, " ");
        assert!(text.starts_with("1 sample is still on the way"), "{text}");
        let only = unsent(12, true).sending_text();
        assert!(only.contains("only this page") && only.contains("keep it open"), "{only}");
        assert!(!only.contains("nothing was lost"), "{only}");
    }

    #[test]
    fn what_is_kept_is_said_to_be_kept_somewhere() {
        let text = unsent(1, false).kept_text("Its").replace(format::NBSP, " ");
        assert!(text.starts_with("Its 1 unsent sample is kept"), "{text}");
        assert_eq!(unsent(0, false).kept_text("Its"), "");
        assert!(unsent(7, true).kept_text("Its").contains("keep it open"));
    }
}
