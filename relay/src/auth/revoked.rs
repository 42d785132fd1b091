//! Tokens of a session that were valid and are no longer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::stamp::Stamp;

/// What was revoked of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Revoked {
    /// Every token issued up to then, Unix milliseconds.
    pub until_ms: Option<i64>,
    /// Apart from the one that asked for it.
    pub except: Option<String>,
    /// Tokens revoked by name.
    pub ids: BTreeSet<String>,
}

/// What is to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    One(String),
    /// All that were issued until then.
    All {
        until_ms: i64,
        except: Option<String>,
    },
}

impl Revoked {
    pub fn covers(&self, token: &Stamp) -> bool {
        self.ids.contains(&*token.id)
            || self.until_ms.is_some_and(|until| {
                // One that does not say when it was issued may be from then.
                token.issued_ms.is_none_or(|at| at <= until) && self.except.as_deref() != Some(&token.id)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(id: &str, issued_ms: Option<i64>) -> Stamp {
        Stamp { id: id.into(), issued_ms, expires: u64::MAX, first: None }
    }

    #[test]
    fn what_is_named_and_what_was_given_out_before_is_covered() {
        assert!(!Revoked::default().covers(&stamp("a", None)));
        let named = Revoked { ids: ["a".to_owned()].into(), ..Revoked::default() };
        assert!(named.covers(&stamp("a", Some(i64::MAX))));
        assert!(!named.covers(&stamp("b", None)));
        let all = Revoked { until_ms: Some(1_000), except: Some("mine".to_owned()), ..named };
        for (id, issued_ms, covered) in [
            ("b", Some(1_000), true),
            ("b", Some(1_001), false),
            ("b", None, true),
            ("mine", Some(5), false),
            ("mine", None, false),
            ("a", Some(2_000), true),
        ] {
            assert_eq!(all.covers(&stamp(id, issued_ms)), covered, "{id} {issued_ms:?}");
        }
    }
}
