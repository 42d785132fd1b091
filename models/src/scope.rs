//! How hard to look for faces.

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The near detector; the far one only if it sees nobody. For someone in front of a camera.
    Near,
    /// Both detectors, merged. For groups and rooms.
    Full,
    /// Like `Full`; and if no face is large, the far detector also searches tiles of the picture, which is twenty times
    /// slower. For pictures from files.
    Thorough,
    /// Not at all: the picture is one face, already cropped. No page asks for it, but a measurement may.
    Cropped,
}
