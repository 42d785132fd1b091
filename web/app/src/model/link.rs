//! What the bar says of a recording: whether it records, and how its link stands.

use super::trouble::Obstacle;

/// Where the link to the relay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    Connecting,
    Live,
    Throttled,
    Offline,
    /// Offline, and it is known why.
    Kept(Obstacle),
    Ended,
}

/// What the source gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Nothing yet.
    Opening,
    Coming,
    /// The camera is open and gives no pictures.
    Silent,
    Paused,
    /// The file is done.
    Over,
}

/// A stable name for styles and tests, and the words. A link is live only while something comes that it could carry.
pub const fn words(line: Line, feed: Feed) -> (&'static str, &'static str) {
    match (line, feed) {
        (Line::Ended, _) => ("ended", "Ended"),
        (Line::Kept(obstacle), feed) => {
            let (name, words, paused) = obstacle.words();
            (name, if matches!(feed, Feed::Paused) { paused } else { words })
        }
        (Line::Offline, Feed::Paused) => ("offline", "Paused, offline"),
        (Line::Offline, _) => ("offline", "Offline"),
        (Line::Throttled, Feed::Paused) => ("throttled", "Paused, slowed down by the relay"),
        (Line::Throttled, _) => ("throttled", "Slowed down by the relay"),
        (_, Feed::Paused) => ("paused", "Paused"),
        (Line::Connecting, _) => ("connecting", "Connecting"),
        (Line::Live, Feed::Opening) => ("connected", "Connected"),
        (Line::Live, Feed::Coming) => ("live", "Live"),
        (Line::Live, Feed::Silent) => ("silent", "No pictures"),
        (Line::Live, Feed::Over) => ("over", "File finished"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [Line; 9] = [
        Line::Connecting,
        Line::Live,
        Line::Throttled,
        Line::Offline,
        Line::Ended,
        Line::Kept(Obstacle::ALL[0]),
        Line::Kept(Obstacle::ALL[1]),
        Line::Kept(Obstacle::ALL[2]),
        Line::Kept(Obstacle::ALL[3]),
    ];
    const FEEDS: [Feed; 5] = [Feed::Opening, Feed::Coming, Feed::Silent, Feed::Paused, Feed::Over];

    #[test]
    fn only_what_comes_over_a_live_link_is_live() {
        for line in LINES {
            for feed in FEEDS {
                let live = words(line, feed).0 == "live";
                assert_eq!(live, line == Line::Live && feed == Feed::Coming, "{line:?} {feed:?}");
            }
        }
    }

    #[test]
    fn a_pause_and_a_link_that_is_away_are_said_whatever_the_other_is() {
        for line in LINES.into_iter().filter(|line| *line != Line::Ended) {
            assert!(words(line, Feed::Paused).1.starts_with("Paused"), "{line:?}");
        }
        for feed in FEEDS {
            assert_eq!(words(Line::Offline, feed).0, "offline", "{feed:?}");
            assert!(words(Line::Offline, feed).1.to_lowercase().contains("offline"), "{feed:?}");
        }
    }
}
