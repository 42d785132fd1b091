//! Whether a source gives pictures. Pure: told of pictures, of figures and of what the system says.

/// A source without a picture for so many figures is silent. Even in the dark a camera gives some a second.
const SILENT_FIGURES: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Silent,
    Playing,
}

#[derive(Debug, Default)]
pub(super) struct Liveness {
    /// Figures in a row without a picture.
    quiet: u32,
    silent: bool,
}

impl Liveness {
    pub(super) fn framed(&mut self) -> Option<Change> {
        self.quiet = 0;
        std::mem::take(&mut self.silent).then_some(Change::Playing)
    }

    /// About once a second. `excused`: nobody expects pictures, as somebody paused or the page is hidden.
    /// `absent`: there can be none, as every track is muted or there is no track.
    pub(super) fn tick(&mut self, framed: bool, excused: bool, absent: bool) -> Option<Change> {
        if framed || excused {
            self.quiet = 0;
            return None;
        }
        self.quiet += 1;
        let news = !self.silent && (absent || self.quiet >= SILENT_FIGURES);
        self.silent |= news;
        news.then_some(Change::Silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_and_taken_back_by_the_next_picture() {
        let mut source = Liveness::default();
        assert_eq!(source.framed(), None);
        let told: Vec<_> = (0..5).map(|_| source.tick(false, false, false)).collect();
        assert_eq!(told, [None, None, Some(Change::Silent), None, None]);
        assert_eq!((source.framed(), source.framed()), (Some(Change::Playing), None));
        assert_eq!(source.tick(true, false, false), None);
        assert_eq!(source.tick(false, false, true), Some(Change::Silent), "a muted track is silent at once");
        assert_eq!(source.tick(false, false, false), None);
        assert_eq!(source.framed(), Some(Change::Playing));
    }

    #[test]
    fn nobody_expects_pictures_of_what_is_paused_or_hidden() {
        let mut source = Liveness::default();
        for _ in 0..9 {
            assert_eq!(source.tick(false, true, true), None);
        }
        assert_eq!(
            [(); 2].map(|()| source.tick(false, false, false)),
            [None, None],
            "it begins to count then"
        );
        assert_eq!(source.tick(false, false, false), Some(Change::Silent));
        assert_eq!(source.tick(false, true, false), None);
        assert_eq!(source.framed(), Some(Change::Playing), "only pictures end a silence");
    }
}
