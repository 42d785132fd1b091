//! Whether a source delivers pictures. Pure.

/// A source without a picture for this many intervals is silent. Even in the dark a camera delivers some per second.
const SILENT_AFTER: u32 = 3;

/// What an interval of about a second has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interval {
    Pictures,
    /// Nothing, as expected: the source is paused, or a hidden page gets nothing.
    NotExpected,
    Nothing,
    /// Nothing, and there can be nothing: every track is muted, or there is no track.
    Impossible,
}

#[derive(Debug, Default)]
pub(super) struct Liveness {
    /// Consecutive intervals without a picture.
    quiet: u32,
    silent: bool,
    /// Why was told.
    told: bool,
}

impl Liveness {
    /// True if the source had been silent.
    pub(super) fn picture(&mut self) -> bool {
        self.quiet = 0;
        self.told = false;
        std::mem::take(&mut self.silent)
    }

    /// True if the source has fallen silent.
    pub(super) fn interval(&mut self, interval: Interval) -> bool {
        match interval {
            Interval::Pictures | Interval::NotExpected => {
                self.quiet = 0;
                false
            }
            Interval::Nothing => {
                self.quiet += 1;
                self.quiet >= SILENT_AFTER && self.fall_silent()
            }
            Interval::Impossible => {
                self.quiet += 1;
                self.fall_silent()
            }
        }
    }

    /// There can be no picture now. True unless that is known.
    pub(super) fn fall_silent(&mut self) -> bool {
        self.silent = true;
        !std::mem::replace(&mut self.told, true)
    }

    /// What kept pictures away does so no longer; if they still do not come, that has another reason.
    pub(super) fn begin_anew(&mut self) {
        self.quiet = 0;
        self.told = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_and_taken_back_by_the_next_picture() {
        let mut source = Liveness::default();
        assert!(!source.picture());
        let told: Vec<_> = (0..5).map(|_| source.interval(Interval::Nothing)).collect();
        assert_eq!(told, [false, false, true, false, false]);
        assert_eq!((source.picture(), source.picture()), (true, false));
        assert!(!source.interval(Interval::Pictures));
        assert!(source.interval(Interval::Impossible), "a muted track is silent at once");
        assert!(!source.interval(Interval::Nothing));
        assert!(source.picture());
    }

    #[test]
    fn nobody_expects_pictures_of_what_is_paused_or_hidden() {
        let mut source = Liveness::default();
        for _ in 0..9 {
            assert!(!source.interval(Interval::NotExpected));
        }
        assert_eq!(
            [(); 2].map(|()| source.interval(Interval::Nothing)),
            [false, false],
            "it begins to count then"
        );
        assert!(source.interval(Interval::Nothing));
        assert!(!source.interval(Interval::NotExpected));
        assert!(source.picture(), "only pictures end a silence");
    }
}
