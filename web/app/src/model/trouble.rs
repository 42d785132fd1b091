//! What keeps a link from its relay, in words: what is wrong, what is safe, and who can fix it.

use mien_engine::Trouble;

use super::unsent::Unsent;

/// What the bar says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TroubleText {
    /// Stable name, for styles and tests.
    pub name: &'static str,
    pub text: &'static str,
    /// While the source is paused.
    pub paused: &'static str,
}

pub const fn text(trouble: Trouble) -> TroubleText {
    match trouble {
        Trouble::UnknownSession => TroubleText {
            name: "unknown",
            text: "Unknown to the relay",
            paused: "Paused, unknown to the relay",
        },
        Trouble::SocketsBlocked => TroubleText {
            name: "blocked",
            text: "WebSockets are blocked",
            paused: "Paused, WebSockets are blocked",
        },
        Trouble::ProxyPassword => TroubleText {
            name: "password",
            text: "A proxy asks for a password",
            paused: "Paused, a proxy asks for a password",
        },
        Trouble::ForeignOrigin => TroubleText {
            name: "refused",
            text: "Refused by the relay",
            paused: "Paused, refused by the relay",
        },
    }
}

/// What is wrong, and who can fix it.
pub const fn problem(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::UnknownSession => "The relay does not know this recording.",
        Trouble::SocketsBlocked => {
            "This network or a proxy blocks WebSockets to the relay; everything else gets through. The proxy’s operator must make it forward the headers Upgrade and Connection."
        }
        Trouble::ProxyPassword => {
            "Something in front of the relay asks for a password of its own. Reload this page to sign in. If that does not help, the relay’s operator must exempt /api/ from it, as the relay’s own tokens use the same header."
        }
        Trouble::ForeignOrigin => {
            "The relay does not accept requests from the address at which this page is open. Its operator must make the proxy forward Host with its port, or list this address in MIEN_ALLOWED_ORIGINS."
        }
    }
}

/// Where unsent samples are kept; empty if there are none.
pub fn kept_text(trouble: Trouble, unsent: Unsent) -> String {
    unsent.kept_text(if trouble == Trouble::UnknownSession { "Its" } else { "The recording’s" })
}

/// What happens next.
pub const fn outlook(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::UnknownSession => "Sending resumes on its own once the relay knows the recording again.",
        _ => "Mien keeps trying.",
    }
}

/// All of it, to the person who records.
pub fn sentences(trouble: Trouble, unsent: Unsent) -> String {
    let parts = [problem(trouble).to_owned(), kept_text(trouble, unsent), outlook(trouble).to_owned()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// For a watcher.
pub fn to_watchers(trouble: Trouble) -> String {
    let problem = match trouble {
        Trouble::UnknownSession => "The relay does not know this session at the moment.",
        other => problem(other),
    };
    format!("{problem} Mien keeps trying; the recording does not depend on this page.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::format;

    fn unsent(count: u64) -> Unsent {
        Unsent { count, in_memory: false }
    }

    #[test]
    fn an_unknown_recording_says_where_its_samples_are() {
        assert_eq!(
            sentences(Trouble::UnknownSession, unsent(233)).replace(format::NBSP, " "),
            "The relay does not know this recording. Its 233 unsent samples are kept in this browser. Sending resumes on its own once the relay knows the recording again."
        );
    }

    #[test]
    fn what_an_operator_must_set_is_named() {
        for (trouble, named) in [
            (Trouble::SocketsBlocked, &["WebSockets", "Upgrade", "Connection"][..]),
            (Trouble::ProxyPassword, &["password", "/api/"]),
            (Trouble::ForeignOrigin, &["Host", "MIEN_ALLOWED_ORIGINS"]),
        ] {
            for text in [sentences(trouble, unsent(3)), to_watchers(trouble)] {
                assert!(named.iter().all(|word| text.contains(word)), "{text}");
            }
            assert!(sentences(trouble, unsent(3)).contains("kept in this browser"));
        }
    }
}
