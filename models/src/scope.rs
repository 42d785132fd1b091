//! How hard to look for faces.

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The near detector; only if it sees nobody, the far one. For someone before a camera.
    Near,
    /// Both detectors, merged. For pictures, groups and rooms.
    Full,
}
