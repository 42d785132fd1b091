//! Landmarks: whether they are on, and what they say of a face, in words.

use mien_engine::{LoadProgress, ModelName};
use mien_shared::FaceLandmarks;

/// From here on an eye counts as closed.
const CLOSED_FROM: f32 = 0.5;

/// Whether landmarks are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LandmarkSwitch {
    #[default]
    Off,
    /// Their models are on the way; `None` until the analysis itself is loaded.
    Loading(Option<LoadProgress>),
    On,
    /// The sentence says why they are off.
    Failed(String),
}

impl LandmarkSwitch {
    /// Whether the person wants them.
    pub const fn is_wanted(&self) -> bool {
        matches!(self, Self::Loading(_) | Self::On)
    }

    /// Stable name, for tests and automation.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Loading(_) => "loading",
            Self::On => "on",
            Self::Failed(_) => "failed",
        }
    }
}

/// What switching them on downloads.
pub fn download_bytes() -> u64 {
    ModelName::FOR_LANDMARKS.iter().map(|model| model.bytes()).sum()
}

/// Where the head points, as the shown picture has it: `12° right, 4° up`. A mirrored picture swaps the sides.
pub fn head(landmarks: &FaceLandmarks, mirrored: bool) -> Option<String> {
    let (yaw, pitch) = (shown(landmarks.yaw?, mirrored), landmarks.pitch?);
    let side = |degrees: f32, above: &str, below: &str| {
        let whole = degrees.abs().round() as u32;
        if whole == 0 {
            None
        } else {
            Some(format!("{whole}° {}", if degrees > 0.0 { above } else { below }))
        }
    };
    let sides = [side(yaw, "right", "left"), side(pitch, "up", "down")];
    let turned = sides.into_iter().flatten().collect::<Vec<_>>().join(", ");
    Some(if turned.is_empty() { "Straight ahead".to_owned() } else { turned })
}

/// How far the head leans: `8° to the left`.
pub fn lean(landmarks: &FaceLandmarks, mirrored: bool) -> Option<String> {
    let roll = shown(landmarks.roll?, mirrored);
    Some(match roll.round() as i32 {
        0 => "upright".to_owned(),
        degrees if degrees > 0 => format!("tilted {degrees}° right"),
        degrees => format!("tilted {}° left", -degrees),
    })
}

pub const fn shown(degrees: f32, mirrored: bool) -> f32 {
    if mirrored { -degrees } else { degrees }
}

/// The state of both eyes: one that is closed is named by the person's own side.
pub fn eyes(landmarks: &FaceLandmarks) -> Option<&'static str> {
    let closed = |blink: f32| blink >= CLOSED_FROM;
    Some(match (closed(landmarks.blink_left?), closed(landmarks.blink_right?)) {
        (true, true) => "Eyes closed",
        (true, false) => "Left eye closed",
        (false, true) => "Right eye closed",
        (false, false) => "Eyes open",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landmarks(yaw: f32, pitch: f32, roll: f32) -> FaceLandmarks {
        FaceLandmarks { yaw: Some(yaw), pitch: Some(pitch), roll: Some(roll), ..FaceLandmarks::default() }
    }

    #[test]
    fn a_head_is_told_as_the_picture_shows_it() {
        let turned = landmarks(12.4, -3.6, 8.0);
        assert_eq!(head(&turned, false).unwrap(), "12° right, 4° down");
        assert_eq!(head(&turned, true).unwrap(), "12° left, 4° down");
        assert_eq!(lean(&turned, false).unwrap(), "tilted 8° right");
        assert_eq!(lean(&turned, true).unwrap(), "tilted 8° left");
        assert_eq!(head(&landmarks(0.4, -0.2, -0.3), false).unwrap(), "Straight ahead");
        assert_eq!(lean(&landmarks(0.4, -0.2, -0.3), false).unwrap(), "upright");
        assert_eq!(head(&FaceLandmarks::default(), false), None);
    }

    #[test]
    fn an_eye_is_the_person_s_own() {
        let blinks = |left, right| {
            eyes(&FaceLandmarks {
                blink_left: Some(left),
                blink_right: Some(right),
                ..FaceLandmarks::default()
            })
        };
        assert_eq!(blinks(0.1, 0.2), Some("Eyes open"));
        assert_eq!(blinks(0.7, 0.2), Some("Left eye closed"));
        assert_eq!(blinks(0.1, 0.5), Some("Right eye closed"));
        assert_eq!(blinks(0.9, 0.9), Some("Eyes closed"));
        assert_eq!(eyes(&FaceLandmarks::default()), None);
    }

    #[test]
    fn the_size_that_is_said_is_that_of_the_files() {
        assert_eq!(crate::model::format::bytes(download_bytes()), "6.8\u{a0}MB");
    }
}
