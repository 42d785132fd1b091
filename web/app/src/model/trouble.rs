//! What keeps a link from its relay, as words: what is the matter, what is safe, and who can mend it.

use super::format;

/// What is known of it beyond "offline". All of these may pass, and the link goes on trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Obstacle {
    /// The relay answers and does not know the session.
    UnknownSession,
    /// HTTP gets through and WebSockets do not.
    SocketsBlocked,
    /// Something in front of the relay asks for a password of its own.
    ProxyPassword,
    /// The relay takes nothing from this page's address.
    ForeignOrigin,
}

/// Samples that wait for the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsent {
    pub count: u64,
    /// Whether this page has the only copy.
    pub in_memory: bool,
}

impl Obstacle {
    pub const ALL: [Self; 4] =
        [Self::UnknownSession, Self::SocketsBlocked, Self::ProxyPassword, Self::ForeignOrigin];

    /// Stable name, for styles and tests, and the words of the bar; the second while the source pauses.
    pub const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::UnknownSession => ("unknown", "Not known to the relay", "Paused, not known to the relay"),
            Self::SocketsBlocked => ("blocked", "WebSockets are blocked", "Paused, WebSockets are blocked"),
            Self::ProxyPassword => {
                ("password", "A proxy asks for a password", "Paused, a proxy asks for a password")
            }
            Self::ForeignOrigin => ("refused", "Refused by the relay", "Paused, refused by the relay"),
        }
    }

    /// What it is, and who can mend it.
    pub const fn matter(self) -> &'static str {
        match self {
            Self::UnknownSession => "The relay does not know this recording.",
            Self::SocketsBlocked => {
                "This network or a proxy blocks WebSockets to the relay; everything else gets through. The operator of the proxy must have it pass on the headers Upgrade and Connection."
            }
            Self::ProxyPassword => {
                "Something in front of the relay asks for a password of its own. Open this page anew to sign in. If that does not help, the relay’s operator must exempt /api/ from it, as the relay’s own tokens use the same header."
            }
            Self::ForeignOrigin => {
                "The relay does not accept requests from the address at which this page is open. Its operator must have the proxy pass on Host with its port, or name this address in MIEN_ALLOWED_ORIGINS."
            }
        }
    }

    /// Where what waits is; nothing where nothing does.
    pub fn kept(self, unsent: Unsent) -> String {
        kept_of(if self == Self::UnknownSession { "Its" } else { "The recording’s" }, unsent)
    }

    pub const fn goes_on(self) -> &'static str {
        match self {
            Self::UnknownSession => "Sending resumes on its own once the relay knows the recording again.",
            _ => "Mien keeps trying.",
        }
    }

    /// To the person who records, all of it.
    pub fn sentences(self, unsent: Unsent) -> String {
        let parts = [self.matter().to_owned(), self.kept(unsent), self.goes_on().to_owned()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// To whoever watches.
    pub fn to_watchers(self) -> String {
        let matter = match self {
            Self::UnknownSession => "The relay does not know this session at the moment.",
            other => other.matter(),
        };
        format!("{matter} Mien keeps trying; the recording does not depend on this page.")
    }
}

/// Where what was not sent of it is; nothing where all was.
pub fn kept(unsent: Unsent) -> String {
    kept_of("Its", unsent)
}

fn kept_of(whose: &str, Unsent { count, in_memory }: Unsent) -> String {
    let place = if in_memory { "in this page alone: keep it open" } else { "in this browser" };
    match count {
        0 => String::new(),
        1 => format!("{whose} 1{}unsent sample is kept {place}.", format::NBSP),
        _ => format!("{whose} {}{}unsent samples are kept {place}.", format::grouped(count), format::NBSP),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsent(count: u64) -> Unsent {
        Unsent { count, in_memory: false }
    }

    fn said(text: &str) -> String {
        text.replace(format::NBSP, " ")
    }

    #[test]
    fn an_unknown_recording_says_where_its_samples_are() {
        assert_eq!(
            said(&Obstacle::UnknownSession.sentences(unsent(233))),
            "The relay does not know this recording. Its 233 unsent samples are kept in this browser. Sending resumes on its own once the relay knows the recording again."
        );
        assert!(said(&kept(unsent(1))).starts_with("Its 1 unsent sample is kept"));
        assert_eq!(kept(unsent(0)), "");
        assert!(kept(Unsent { count: 7, in_memory: true }).contains("keep it open"));
    }

    #[test]
    fn what_an_operator_must_set_is_named() {
        for (obstacle, named) in [
            (Obstacle::SocketsBlocked, &["WebSockets", "Upgrade", "Connection"][..]),
            (Obstacle::ProxyPassword, &["password", "/api/"]),
            (Obstacle::ForeignOrigin, &["Host", "MIEN_ALLOWED_ORIGINS"]),
        ] {
            for text in [obstacle.sentences(unsent(3)), obstacle.to_watchers()] {
                assert!(named.iter().all(|word| text.contains(word)), "{text}");
            }
            assert!(obstacle.sentences(unsent(3)).contains("kept in this browser"));
        }
    }
}
