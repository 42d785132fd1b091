//! How hard to look for faces.

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The near detector; only if it sees nobody, the far one. For someone before a camera.
    Near,
    /// Both detectors, merged. For groups and rooms.
    Full,
    /// The same, and where no face is large, the far detector in parts of the picture: twenty times slower there. For
    /// pictures in files.
    Thorough,
}
