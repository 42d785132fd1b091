//! How far one face has come, and what is in its way.

use std::time::Duration;

/// A frame stands for no more time than this, however long it took to come.
pub(super) const LONGEST_FRAME: Duration = Duration::from_millis(500);

/// Why a look does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The frame cuts part of the face off.
    Cut,
    TooSmall,
    /// Turned away from the camera.
    Turned,
    /// Too dark, or without light and shade.
    Dark,
    Bright,
    /// Moving, or blurred.
    Moving,
    Smiling,
    /// A little of several.
    Unclear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaceProgress {
    pub face: u32,
    /// Looks that count so far.
    pub looks: u32,
    /// How many it takes at the present pace, or those that were taken.
    pub needed: u32,
    /// What is wrong with the newest look; `None` if it counts, or if this face is taken.
    pub obstacle: Option<Obstacle>,
}
