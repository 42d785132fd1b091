//! What a refusal by the relay means for samples that wait: whether it is transient or permanent.

use mien_shared::problem::CloseCode;
use mien_shared::{Code, Problem};

use super::format;

/// Whether it is worth asking again after this HTTP status. A refusal would stay the same; sending too fast, or a relay
/// in trouble, is transient.
pub fn is_transient(status: u16) -> bool {
    status == 429 || status >= 500
}

/// Why the relay will never take what waits for a link that it closed with this code; `None` where a later attempt may
/// succeed.
pub fn permanent_reason(close: CloseCode) -> Option<&'static str> {
    match close {
        CloseCode::Unauthorized => Some("The access to this session has expired."),
        CloseCode::Forbidden => Some("This device has no access to that session."),
        CloseCode::SessionEnded => Some("The session was completed or erased and takes no more samples."),
        CloseCode::QuotaExceeded => Some("The session has as many cameras as its relay allows."),
        _ => None,
    }
}

/// What the relay refused, said once, and what to do if something helps.
pub fn sentences(problem: &Problem) -> String {
    match problem.code {
        Code::RateLimited => "Too many requests. Wait a moment, then try again.".to_owned(),
        Code::ForeignOrigin => "The relay does not accept requests from the address at which this page is open. Open the page at the relay’s own address. Behind a proxy, the operator must make it forward Host with its port, or list the page’s address in MIEN_ALLOWED_ORIGINS.".to_owned(),
        _ => {
            let (title, detail) = (sentence(&problem.title), sentence(&problem.detail));
            if detail.is_empty() || detail == title { title } else { format!("{title} {detail}") }
        }
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut sentence = format::capitalized(text.trim());
    if !sentence.is_empty() && !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_said_once() {
        let said = |code: Code, detail: &str| sentences(&Problem::new(code, detail, "r"));
        assert_eq!(said(Code::NotFound, Code::NotFound.title()).matches(Code::NotFound.title()).count(), 1);
        let both = said(Code::Invalid, "title is too long");
        assert!(both.starts_with(Code::Invalid.title()) && both.ends_with(". Title is too long."), "{both}");
        assert_eq!(said(Code::Invalid, ""), format!("{}.", Code::Invalid.title()));
    }

    #[test]
    fn a_refused_origin_says_what_to_do() {
        for detail in [Code::ForeignOrigin.title(), "open the page from the relay's own address"] {
            let said = sentences(&Problem::new(Code::ForeignOrigin, detail, "r"));
            assert!(said.contains("MIEN_ALLOWED_ORIGINS") && said.contains("Host"), "{said}");
            assert!(!said.contains(detail), "{said}");
        }
    }

    #[test]
    fn a_relay_in_trouble_is_asked_again_and_a_refusal_is_not() {
        for (status, again) in
            [(429, true), (500, true), (503, true), (401, false), (404, false), (410, false)]
        {
            assert_eq!(is_transient(status), again, "{status}");
        }
    }

    #[test]
    fn what_connecting_again_may_mend_is_not_given_up() {
        for close in CloseCode::ALL {
            assert!(permanent_reason(close).is_none() || !close.worth_retrying(), "{close:?}");
        }
        assert!(permanent_reason(CloseCode::Superseded).is_none(), "the other tab may end");
        assert!(permanent_reason(CloseCode::SessionEnded).is_some());
        assert!(permanent_reason(CloseCode::QuotaExceeded).is_some());
    }
}
