//! How results are written, and what there is to write.

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// One JSON object a picture
    Ndjson,
    /// One row a face
    Csv,
    /// One row a face, in the columns of Py-Feat (its first detector's), in pixels
    Fex,
}

/// What every report of a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) landmarks: bool,
    pub(crate) neutral_looks: Option<u32>,
    pub(crate) origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Files,
    /// A stream whose rate nobody named.
    Frames,
    /// A stream with times.
    Film,
    /// One whose faces are followed from frame to frame.
    FollowedFilm,
}

impl Origin {
    pub(crate) const fn has_frames(self) -> bool {
        !matches!(self, Self::Files)
    }

    pub(crate) const fn has_times(self) -> bool {
        matches!(self, Self::Film | Self::FollowedFilm)
    }
}
