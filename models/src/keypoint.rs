//! The points of a face that both detectors find.

/// The detector's six key points. Right and left are the person's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keypoint {
    RightEye,
    LeftEye,
    Nose,
    Mouth,
    RightEar,
    LeftEar,
}

impl Keypoint {
    pub const COUNT: usize = 6;
}
