//! Whether a token was revoked.

use super::stamp::Stamp;
pub use crate::store::{Revocation, Revoked};

impl Revoked {
    pub fn covers(&self, token: &Stamp) -> bool {
        self.ids.contains(&*token.id)
            || self.until_ms.is_some_and(|until| {
                // A token that does not say when it was issued may be from before then.
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
