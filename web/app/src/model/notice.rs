//! Lines beside the live view that stop nothing. Each belongs to a state and goes with it.

use super::link::Feed;
use super::timeline::Flag;

/// What a recording has to say. Where the same is told again, the newer line stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The open source gives no pictures; the sentence says which. Until one comes, or it is closed.
    SourceSilent { why: String },
    /// A worker has failed and is started again. Until frames are analysed again, or the source is closed.
    Restarting,
    /// Nothing was recorded while the tab was hidden, by the clock on the wall. Until the person pauses or opens
    /// another source.
    Unseen { from: String, to: String },
    /// A film waited while the tab was hidden, for so long. Until the person pauses or opens another source.
    FileWaited { how_long: String },
    /// The file is done. Until another source.
    FileOver,
    /// A camera that could be chosen is gone, and not the one that is open. Until it is back.
    CameraGone { name: String },
    /// A marker that is shown could not be stored. Until it is, or is taken away.
    MarkerNotStored { flag: Flag, why: String },
    /// A marker could not be deleted, so it is shown again. Until it is gone.
    MarkerNotDeleted { flag: Flag, why: String },
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
    /// Nothing is amiss with this marker any more.
    Marker(&'a Flag),
}

impl Notice {
    /// Stable name, for tests and automation.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SourceSilent { .. } => "source-silent",
            Self::Restarting => "restarting",
            Self::Unseen { .. } => "unseen",
            Self::FileWaited { .. } => "file-waited",
            Self::FileOver => "file-over",
            Self::CameraGone { .. } => "camera-gone",
            Self::MarkerNotStored { .. } => "marker-not-stored",
            Self::MarkerNotDeleted { .. } => "marker-not-deleted",
        }
    }

    pub fn text(&self) -> String {
        match self {
            Self::SourceSilent { why } => format!("{why} Recording resumes on its own once they come again."),
            Self::Restarting => "The analysis stumbled and is being restarted; nothing was lost.".to_owned(),
            Self::Unseen { from, to } => format!(
                "Nothing was recorded from {from} to {to}: browsers show a hidden tab no pictures. Keep this tab in view while it records."
            ),
            Self::FileWaited { how_long } => format!(
                "The file waited for {how_long} while this tab was hidden; nothing of it was left out."
            ),
            Self::CameraGone { name } => format!("“{name}” is no longer connected."),
            Self::FileOver => "The file is done. Stop ends the session and shows what was stored.".to_owned(),
            Self::MarkerNotStored { flag, why } => {
                format!("The marker “{}” is shown here but could not be stored: {why}", flag.label)
            }
            Self::MarkerNotDeleted { flag, why } => {
                format!("The marker “{}” could not be deleted, so it is shown again: {why}", flag.label)
            }
        }
    }

    fn ends_with(&self, change: Change<'_>) -> bool {
        match (self, change) {
            (Self::SourceSilent { .. }, Change::Picture | Change::Paused | Change::Closed)
            | (Self::Restarting, Change::Analysed | Change::Paused | Change::Closed)
            | (Self::Unseen { .. } | Self::FileWaited { .. }, Change::Paused | Change::Closed)
            | (Self::FileOver, Change::Closed) => true,
            (
                Self::MarkerNotStored { flag, .. } | Self::MarkerNotDeleted { flag, .. },
                Change::Marker(other),
            ) => flag == other,
            (Self::CameraGone { name }, Change::Camera(other)) => name == other,
            _ => false,
        }
    }

    /// Whether two notices tell of the same thing.
    fn is_about(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MarkerNotStored { flag, .. }, Self::MarkerNotStored { flag: other, .. })
            | (Self::MarkerNotDeleted { flag, .. }, Self::MarkerNotDeleted { flag: other, .. }) => {
                flag == other
            }
            (Self::CameraGone { name }, Self::CameraGone { name: other }) => name == other,
            _ => self.name() == other.name(),
        }
    }
}

/// The notices of one recording, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// With whether the person has closed it: what it tells holds all the same.
    told: Vec<(Notice, bool)>,
}

impl Notices {
    pub fn tell(&mut self, notice: Notice) {
        self.told.retain(|(other, _)| !other.is_about(&notice));
        self.told.push((notice, false));
    }

    /// Takes away what goes with this change. False where nothing does.
    pub fn change(&mut self, change: Change<'_>) -> bool {
        let before = self.told.len();
        self.told.retain(|(notice, _)| !notice.ends_with(change));
        self.told.len() < before
    }

    /// The person has read it.
    pub fn close(&mut self, notice: &Notice) {
        for (other, closed) in &mut self.told {
            *closed |= other == notice;
        }
    }

    /// What they say of the source, shown or closed; `None` where it is well.
    pub fn feed(&self) -> Option<Feed> {
        self.told.iter().find_map(|(notice, _)| match notice {
            Notice::SourceSilent { .. } => Some(Feed::Silent),
            Notice::FileOver => Some(Feed::Over),
            _ => None,
        })
    }

    pub fn shown(&self) -> impl Iterator<Item = &Notice> {
        self.told.iter().filter(|(_, closed)| !closed).map(|(notice, _)| notice)
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

    fn flag(label: &str) -> Flag {
        Flag { at_ms: 7, label: label.to_owned() }
    }

    fn not_stored(label: &str) -> Notice {
        Notice::MarkerNotStored { flag: flag(label), why: "cut".to_owned() }
    }

    fn all() -> Vec<Notice> {
        let not_deleted = Notice::MarkerNotDeleted { flag: flag("a"), why: "cut".to_owned() };
        vec![
            silent(),
            Notice::Restarting,
            unseen("11:00:00"),
            Notice::FileWaited { how_long: "0:12".to_owned() },
            Notice::FileOver,
            Notice::CameraGone { name: "Desk".to_owned() },
            not_stored("a"),
            not_deleted,
        ]
    }

    #[test]
    fn each_notice_goes_with_its_state_and_with_no_other() {
        let (one, another) = (flag("a"), flag("b"));
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
                notices.tell(notice);
            }
            assert_eq!(notices.change(change), !gone.is_empty(), "{change:?}");
            let left: Vec<_> = notices.shown().map(Notice::name).collect();
            let expected: Vec<_> =
                all().iter().map(Notice::name).filter(|name| !gone.contains(name)).collect();
            assert_eq!(left, expected, "{change:?}");
        }
    }

    #[test]
    fn a_camera_that_falls_silent_again_is_told_again() {
        let mut notices = Notices::default();
        notices.tell(silent());
        notices.close(&silent());
        assert_eq!(notices.shown().count(), 0, "the person has read it");
        assert_eq!(notices.feed(), Some(Feed::Silent), "and it holds all the same");
        assert!(notices.change(Change::Picture));
        assert_eq!(notices.feed(), None);
        notices.tell(silent());
        assert_eq!(notices.shown().count(), 1);
    }

    #[test]
    fn of_the_same_the_newer_stands_and_two_markers_are_two() {
        let mut notices = Notices::default();
        notices.tell(unseen("11:00:00"));
        notices.tell(not_stored("a"));
        notices.tell(not_stored("b"));
        notices.tell(unseen("11:30:00"));
        assert_eq!(
            notices.shown().collect::<Vec<_>>(),
            [&not_stored("a"), &not_stored("b"), &unseen("11:30:00")]
        );
    }
}
