//! What the relay's no means for samples that wait: whether it passes, or stands.

use mien_shared::problem::CloseCode;

/// Whether it is worth asking again after this HTTP status: a refusal would be the same; being too fast, or a
/// relay in trouble, passes.
pub fn passes(status: u16) -> bool {
    status == 429 || status >= 500
}

/// Why the relay will never take what waits for a link that it closed so; `None` where a later try may do.
pub fn for_good(close: CloseCode) -> Option<&'static str> {
    match close {
        CloseCode::Unauthorized => Some("The access to this session has expired."),
        CloseCode::Forbidden => Some("This device has no access to that session."),
        CloseCode::SessionNotFound => Some("The relay has no such session any more."),
        CloseCode::SessionEnded => Some("The session was completed or erased and takes no more samples."),
        CloseCode::QuotaExceeded => Some("The session has as many cameras as it may have."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_in_trouble_is_asked_again_and_a_refusal_is_not() {
        for (status, again) in
            [(429, true), (500, true), (503, true), (401, false), (404, false), (410, false)]
        {
            assert_eq!(passes(status), again, "{status}");
        }
    }

    #[test]
    fn what_connecting_again_may_mend_is_not_given_up() {
        for close in CloseCode::ALL {
            assert!(for_good(close).is_none() || !close.worth_retrying(), "{close:?}");
        }
        assert!(for_good(CloseCode::Superseded).is_none(), "the other tab may end");
        assert!(for_good(CloseCode::SessionEnded).is_some());
        assert!(for_good(CloseCode::QuotaExceeded).is_some());
    }
}
