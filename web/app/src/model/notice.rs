//! Lines beside the live view that interrupt nothing. Each belongs to a state and goes with it.

use super::link::Feed;
use super::timeline::TimelineMarker;

/// What a recording has to say. If it says the same again, the newer line replaces the older.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The open source gives no pictures; the sentence says so. Until one comes, or it is closed.
    SourceSilent { why: String },
    /// A worker has failed and is being restarted. Until frames are analysed again, or the source is closed.
    Restarting,
    /// Nothing was recorded while the tab was hidden, between these times of day. Until the person pauses or opens
    /// another source.
    Unseen { from: String, to: String },
    /// A video file waited while the tab was hidden, for this long. Until the person pauses or opens another source.
    FileWaited { how_long: String },
    /// The file has ended. Until another source.
    FileFinished,
    /// A camera other than the open one was unplugged. Until it is back.
    CameraGone { name: String },
    /// A marker that is shown could not be stored. Until it is, or is deleted.
    MarkerNotStored { marker: TimelineMarker, why: String },
    /// A marker could not be deleted, so it is shown again. Until it is gone.
    MarkerNotDeleted { marker: TimelineMarker, why: String },
}

/// What may end a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The source gave a picture.
    Picture,
    /// Frames were analysed for a second.
    Analysed,
    Paused,
    /// The source was closed, or gave way to another.
    Closed,
    /// This camera is there.
    Camera(&'a str),
    /// There is nothing wrong with this marker any more.
    Marker(&'a TimelineMarker),
}

impl Notice {
    /// Stable name, for tests and automation.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SourceSilent { .. } => "source-silent",
            Self::Restarting => "restarting",
            Self::Unseen { .. } => "unseen",
            Self::FileWaited { .. } => "file-waited",
            Self::FileFinished => "file-over",
            Self::CameraGone { .. } => "camera-gone",
            Self::MarkerNotStored { .. } => "marker-not-stored",
            Self::MarkerNotDeleted { .. } => "marker-not-deleted",
        }
    }

    pub fn text(&self) -> String {
        match self {
            Self::SourceSilent { why } => {
                format!("{why} Recording resumes on its own once there are pictures again.")
            }
            Self::Restarting => {
                "The analysis failed briefly and is being restarted; nothing was lost.".to_owned()
            }
            Self::Unseen { from, to } => format!(
                "Nothing was recorded from {from} to {to}: this browser gives a hidden tab no pictures. Keep this tab in view while it records."
            ),
            Self::FileWaited { how_long } => {
                format!("The file waited for {how_long} while this tab was hidden; none of it was skipped.")
            }
            Self::CameraGone { name } => format!("“{name}” is no longer connected."),
            Self::FileFinished => {
                "The file has finished. Stop ends the session and shows what was stored.".to_owned()
            }
            Self::MarkerNotStored { marker, why } => {
                format!("The marker “{}” is shown here but could not be stored: {why}", marker.label)
            }
            Self::MarkerNotDeleted { marker, why } => {
                format!("The marker “{}” could not be deleted, so it is shown again: {why}", marker.label)
            }
        }
    }

    fn is_ended_by(&self, change: Change<'_>) -> bool {
        match (self, change) {
            (Self::SourceSilent { .. }, Change::Picture | Change::Paused | Change::Closed)
            | (Self::Restarting, Change::Analysed | Change::Paused | Change::Closed)
            | (Self::Unseen { .. } | Self::FileWaited { .. }, Change::Paused | Change::Closed)
            | (Self::FileFinished, Change::Closed) => true,
            (
                Self::MarkerNotStored { marker, .. } | Self::MarkerNotDeleted { marker, .. },
                Change::Marker(other),
            ) => marker == other,
            (Self::CameraGone { name }, Change::Camera(other)) => name == other,
            _ => false,
        }
    }

    /// Whether two notices are about the same thing.
    fn is_about(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MarkerNotStored { marker, .. }, Self::MarkerNotStored { marker: other, .. })
            | (Self::MarkerNotDeleted { marker, .. }, Self::MarkerNotDeleted { marker: other, .. }) => {
                marker == other
            }
            (Self::CameraGone { name }, Self::CameraGone { name: other }) => name == other,
            _ => self.name() == other.name(),
        }
    }
}

/// The notices of one recording, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    notice: Notice,
    /// The person has closed it. What it says still holds.
    closed: bool,
}

impl Notices {
    pub fn show(&mut self, notice: Notice) {
        self.entries.retain(|other| !other.notice.is_about(&notice));
        self.entries.push(Entry { notice, closed: false });
    }

    /// Removes what this change ends. False if it ends nothing.
    pub fn change(&mut self, change: Change<'_>) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| !entry.notice.is_ended_by(change));
        self.entries.len() < before
    }

    /// The person has read it.
    pub fn close(&mut self, notice: &Notice) {
        for entry in &mut self.entries {
            entry.closed |= entry.notice == *notice;
        }
    }

    /// What they say about the source, shown or closed; `None` if nothing is wrong with it.
    pub fn feed(&self) -> Option<Feed> {
        self.entries.iter().find_map(|entry| match entry.notice {
            Notice::SourceSilent { .. } => Some(Feed::Silent),
            Notice::FileFinished => Some(Feed::Finished),
            _ => None,
        })
    }

    pub fn shown(&self) -> impl Iterator<Item = &Notice> {
        self.entries.iter().filter(|entry| !entry.closed).map(|entry| &entry.notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unseen(from: &str) -> Notice {
        Notice::Unseen { from: from.to_owned(), to: "12:00:00".to_owned() }
    }

    fn silent() -> Notice {
        Notice::SourceSilent { why: "The camera gives no pictures.".to_owned() }
    }

    fn marker(label: &str) -> TimelineMarker {
        TimelineMarker { at_ms: 7, label: label.to_owned() }
    }

    fn not_stored(label: &str) -> Notice {
        Notice::MarkerNotStored { marker: marker(label), why: "cut".to_owned() }
    }

    fn all() -> Vec<Notice> {
        let not_deleted = Notice::MarkerNotDeleted { marker: marker("a"), why: "cut".to_owned() };
        vec![
            silent(),
            Notice::Restarting,
            unseen("11:00:00"),
            Notice::FileWaited { how_long: "0:12".to_owned() },
            Notice::FileFinished,
            Notice::CameraGone { name: "Desk".to_owned() },
            not_stored("a"),
            not_deleted,
        ]
    }

    #[test]
    fn each_notice_ends_with_its_state_and_with_no_other() {
        let (one, another) = (marker("a"), marker("b"));
        for (change, gone) in [
            (Change::Picture, &["source-silent"][..]),
            (Change::Analysed, &["restarting"]),
            (Change::Paused, &["source-silent", "restarting", "unseen", "file-waited"]),
            (Change::Closed, &["source-silent", "restarting", "unseen", "file-waited", "file-over"]),
            (Change::Camera("Desk"), &["camera-gone"]),
            (Change::Camera("Door"), &[]),
            (Change::Marker(&one), &["marker-not-stored", "marker-not-deleted"]),
            (Change::Marker(&another), &[]),
        ] {
            let mut notices = Notices::default();
            for notice in all() {
                notices.show(notice);
            }
            assert_eq!(notices.change(change), !gone.is_empty(), "{change:?}");
            let left: Vec<_> = notices.shown().map(Notice::name).collect();
            let expected: Vec<_> =
                all().iter().map(Notice::name).filter(|name| !gone.contains(name)).collect();
            assert_eq!(left, expected, "{change:?}");
        }
    }

    #[test]
    fn a_camera_that_falls_silent_again_is_reported_again() {
        let mut notices = Notices::default();
        notices.show(silent());
        notices.close(&silent());
        assert_eq!(notices.shown().count(), 0, "the person has read it");
        assert_eq!(notices.feed(), Some(Feed::Silent), "and it holds all the same");
        assert!(notices.change(Change::Picture));
        assert_eq!(notices.feed(), None);
        notices.show(silent());
        assert_eq!(notices.shown().count(), 1);
    }

    #[test]
    fn a_newer_notice_replaces_the_same_one_and_two_markers_are_two() {
        let mut notices = Notices::default();
        notices.show(unseen("11:00:00"));
        notices.show(not_stored("a"));
        notices.show(not_stored("b"));
        notices.show(unseen("11:30:00"));
        assert_eq!(
            notices.shown().collect::<Vec<_>>(),
            [&not_stored("a"), &not_stored("b"), &unseen("11:30:00")]
        );
    }
}
