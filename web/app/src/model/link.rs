//! What the bar says about a recording: whether it records, and the state of its link.

use mien_engine::{LinkState, Trouble};

use super::trouble;

/// What the source gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Nothing yet.
    Opening,
    Playing,
    /// The camera is open and gives no pictures.
    Silent,
    Paused,
    /// The file has ended.
    Finished,
}

/// The state of a link in a few words, with a stable name for styles and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkText {
    pub name: &'static str,
    pub text: &'static str,
    /// Samples that wait in the meantime, if that is worth mentioning. It changes often, so a screen reader does not
    /// announce it each time.
    pub waiting: u64,
}

impl LinkText {
    /// `pending`: samples that wait for the relay. A link is live only while there is something that it could carry.
    pub fn of(link: &LinkState, trouble: Option<Trouble>, feed: Feed, pending: u64) -> Self {
        let is_paused = feed == Feed::Paused;
        let (name, text) = match (link, feed) {
            (LinkState::Ended(_), _) => ("ended", "Ended"),
            // Between two attempts the trouble remains.
            (LinkState::Connecting | LinkState::Offline { .. }, _) if trouble.is_some() => {
                let trouble = trouble.map(trouble::text);
                trouble.map_or(("offline", "Offline"), |trouble| {
                    (trouble.name, if is_paused { trouble.paused } else { trouble.text })
                })
            }
            (LinkState::Offline { .. }, Feed::Paused) => ("offline", "Paused, offline"),
            (LinkState::Offline { .. }, _) => ("offline", "Offline"),
            (LinkState::Throttled { .. }, Feed::Paused) => ("throttled", "Paused, slowed down by the relay"),
            (LinkState::Throttled { .. }, _) => ("throttled", "Slowed down by the relay"),
            (_, Feed::Paused) => ("paused", "Paused"),
            (LinkState::Connecting, _) => ("connecting", "Connecting"),
            (LinkState::Live, Feed::Opening) => ("connected", "Connected"),
            (LinkState::Live, Feed::Playing) => ("live", "Live"),
            (LinkState::Live, Feed::Silent) => ("silent", "No pictures"),
            (LinkState::Live, Feed::Finished) => ("over", "File finished"),
        };
        // With a trouble, a notice says what waits.
        let waiting = match link {
            LinkState::Throttled { .. } => pending,
            LinkState::Offline { .. } if trouble.is_none() => pending,
            _ => 0,
        };
        Self { name, text, waiting }
    }
}

#[cfg(test)]
mod tests {
    use mien_engine::LinkEnd;

    use super::*;

    const FEEDS: [Feed; 5] = [Feed::Opening, Feed::Playing, Feed::Silent, Feed::Paused, Feed::Finished];
    const TROUBLES: [Option<Trouble>; 5] = [
        None,
        Some(Trouble::UnknownSession),
        Some(Trouble::SocketsBlocked),
        Some(Trouble::ProxyPassword),
        Some(Trouble::ForeignOrigin),
    ];

    fn offline() -> LinkState {
        LinkState::Offline { retry_in_ms: 1_000 }
    }

    fn links() -> [LinkState; 5] {
        let throttled = LinkState::Throttled { retry_in_ms: 1_000 };
        [LinkState::Connecting, LinkState::Live, throttled, offline(), LinkState::Ended(LinkEnd::Done)]
    }

    #[test]
    fn a_link_is_live_only_while_pictures_come() {
        for link in links() {
            for trouble in TROUBLES {
                for feed in FEEDS {
                    let is_live = LinkText::of(&link, trouble, feed, 0).name == "live";
                    let expected = link == LinkState::Live && feed == Feed::Playing;
                    assert_eq!(is_live, expected, "{link:?} {trouble:?} {feed:?}");
                }
            }
        }
    }

    #[test]
    fn a_pause_and_a_link_that_is_away_are_said_whatever_the_other_is() {
        for link in links().into_iter().filter(|link| !matches!(link, LinkState::Ended(_))) {
            for trouble in TROUBLES {
                let text = LinkText::of(&link, trouble, Feed::Paused, 0).text;
                assert!(text.starts_with("Paused"), "{link:?} {trouble:?}: {text}");
            }
        }
        for feed in FEEDS {
            let offline = LinkText::of(&offline(), None, feed, 7);
            assert_eq!((offline.name, offline.waiting), ("offline", 7), "{feed:?}");
            assert!(offline.text.to_lowercase().contains("offline"), "{feed:?}");
        }
    }

    #[test]
    fn with_a_trouble_the_notice_says_what_waits() {
        for trouble in TROUBLES.into_iter().flatten() {
            let text = LinkText::of(&offline(), Some(trouble), Feed::Playing, 7);
            assert_eq!((text.name, text.waiting), (trouble::text(trouble).name, 0));
        }
    }
}
