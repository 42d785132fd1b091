//! What is said of one picture.

use mien_shared::Face;

#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) file: String,
    /// Which frame of a stream it is.
    pub(crate) moment: Option<Moment>,
    /// Width and height in pixels.
    pub(crate) size: [u32; 2],
    pub(crate) faces: Vec<Seen>,
    /// The number of looks behind the neutral face that the faces were compared with; absent if none was known.
    pub(crate) neutral_looks: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// From 0.
    pub(crate) frame: u64,
    /// Known if the rate is.
    pub(crate) media_ms: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) face: Face,
    /// The detector's confidence that this is a face; absent where nobody asked it.
    pub(crate) certainty: Option<f32>,
}
