//! Whether a source delivers pictures. Pure.

use super::state::Halts;
use crate::browser::tracks::Pictures;

/// A source without a picture for this many intervals is silent. Even in the dark a camera delivers some per second.
const SILENT_AFTER: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Silent,
    Playing,
}

/// What an interval of about a second has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interval {
    Pictures,
    /// Nothing, as expected: the source is paused or the page is hidden.
    NotExpected,
    Nothing,
    /// Nothing, and there can be nothing: every track is muted, or there is no track.
    Impossible,
}

impl Interval {
    pub(super) fn of(pictures: Pictures, has_frames: bool, halts: Halts) -> Self {
        match pictures {
            _ if has_frames => Self::Pictures,
            _ if halts.any() => Self::NotExpected,
            Pictures::Muted | Pictures::Absent => Self::Impossible,
            Pictures::OfFile | Pictures::Live | Pictures::Ended => Self::Nothing,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Liveness {
    /// Consecutive intervals without a picture.
    quiet: u32,
    silent: bool,
}

impl Liveness {
    pub(super) fn picture(&mut self) -> Option<Change> {
        self.quiet = 0;
        std::mem::take(&mut self.silent).then_some(Change::Playing)
    }

    pub(super) fn interval(&mut self, interval: Interval) -> Option<Change> {
        let silent = match interval {
            Interval::Pictures | Interval::NotExpected => {
                self.quiet = 0;
                return None;
            }
            Interval::Nothing => {
                self.quiet += 1;
                self.quiet >= SILENT_AFTER
            }
            Interval::Impossible => {
                self.quiet += 1;
                true
            }
        };
        let changed = silent && !self.silent;
        self.silent |= silent;
        changed.then_some(Change::Silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_and_taken_back_by_the_next_picture() {
        let mut source = Liveness::default();
        assert_eq!(source.picture(), None);
        let told: Vec<_> = (0..5).map(|_| source.interval(Interval::Nothing)).collect();
        assert_eq!(told, [None, None, Some(Change::Silent), None, None]);
        assert_eq!((source.picture(), source.picture()), (Some(Change::Playing), None));
        assert_eq!(source.interval(Interval::Pictures), None);
        assert_eq!(
            source.interval(Interval::Impossible),
            Some(Change::Silent),
            "a muted track is silent at once"
        );
        assert_eq!(source.interval(Interval::Nothing), None);
        assert_eq!(source.picture(), Some(Change::Playing));
    }

    #[test]
    fn nobody_expects_pictures_of_what_is_paused_or_hidden() {
        let mut source = Liveness::default();
        for _ in 0..9 {
            assert_eq!(source.interval(Interval::NotExpected), None);
        }
        assert_eq!(
            [(); 2].map(|()| source.interval(Interval::Nothing)),
            [None, None],
            "it begins to count then"
        );
        assert_eq!(source.interval(Interval::Nothing), Some(Change::Silent));
        assert_eq!(source.interval(Interval::NotExpected), None);
        assert_eq!(source.picture(), Some(Change::Playing), "only pictures end a silence");
    }
}
