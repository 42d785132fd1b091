//! Landmarks between the frames in which they are looked for.

use std::time::Duration;

use mien_shared::{FaceBox, FaceLandmarks};

use super::measure::{Landmarked, rounded};
use super::outline::Outline;
use super::pose::half_turn;

/// What was measured longer ago is no longer told. Every second or third frame of a camera is measured, so that a face
/// of five frames a second keeps its values, while a blink is not told for much longer than it lasts.
pub const HELD_FOR: Duration = Duration::from_millis(250);
/// The pose follows a turn of the head by 63 % in this time: it takes the tremble out of a still head. Everything else
/// is told as it was measured, since a blink is over in 100 ms.
const POSE_TIME_CONSTANT: Duration = Duration::from_millis(80);

/// What was measured last of one face.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held(Option<Measurement>);

#[derive(Clone, Debug)]
struct Measurement {
    at: Duration,
    landmarks: FaceLandmarks,
    outline: Outline,
    /// Where the face was then.
    bounds: FaceBox,
    /// Yaw, pitch and roll, smoothed.
    pose: [f32; 3],
}

impl Held {
    /// A new frame shows the face in this box, and has looked for its landmarks or not.
    pub(crate) fn see(&mut self, captured: Duration, bounds: FaceBox, landmarked: Option<&Landmarked>) {
        let Some(Landmarked { measured, outline }) = landmarked else { return };
        let now = [measured.yaw, measured.pitch, measured.roll].map(Option::unwrap_or_default);
        let pose = match self.fresh(captured) {
            Some(last) => {
                let elapsed = captured.saturating_sub(last.at);
                let share = 1.0 - (-elapsed.div_duration_f32(POSE_TIME_CONSTANT)).exp();
                let eased =
                    |axis: usize| half_turn(last.pose[axis] + share * half_turn(now[axis] - last.pose[axis]));
                std::array::from_fn(eased)
            }
            None => now,
        };
        self.0 = Some(Measurement {
            at: captured,
            landmarks: measured.clone(),
            outline: outline.clone(),
            bounds,
            pose,
        });
    }

    /// What a sample says of the face now.
    pub(crate) fn landmarks(&self, captured: Duration) -> Option<Box<FaceLandmarks>> {
        let last = self.fresh(captured)?;
        let [yaw, pitch, roll] = last.pose.map(|degrees| Some(rounded(degrees, 10.0)));
        Some(Box::new(FaceLandmarks { yaw, pitch, roll, ..last.landmarks.clone() }))
    }

    /// Its outline, moved to where the face is now.
    pub(crate) fn outline(&self, captured: Duration, bounds: FaceBox) -> Option<Outline> {
        let last = self.fresh(captured)?;
        Some(last.outline.moved(last.bounds, bounds))
    }

    fn fresh(&self, captured: Duration) -> Option<&Measurement> {
        self.0.as_ref().filter(|last| captured.saturating_sub(last.at) <= HELD_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landmarked(yaw: f32, roll: f32) -> Landmarked {
        let measured = FaceLandmarks {
            yaw: Some(yaw),
            pitch: Some(0.0),
            roll: Some(roll),
            blink_left: Some(1.0),
            ..FaceLandmarks::default()
        };
        Landmarked { measured, outline: Outline::default() }
    }

    const BOUNDS: FaceBox = FaceBox { left: 0.1, top: 0.1, width: 0.5, height: 0.5 };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_was_measured_is_told_for_a_quarter_of_a_second() {
        let mut held = Held::default();
        assert_eq!(held.landmarks(ms(0)), None);
        held.see(ms(1_000), BOUNDS, Some(&landmarked(20.0, 0.0)));
        held.see(ms(1_033), BOUNDS, None);
        assert_eq!(held.landmarks(ms(1_250)).and_then(|told| told.yaw), Some(20.0));
        assert_eq!(held.landmarks(ms(1_251)), None);
        assert_eq!(held.outline(ms(1_251), BOUNDS), None);
        held.see(ms(1_400), BOUNDS, Some(&landmarked(-20.0, 0.0)));
        assert_eq!(held.landmarks(ms(1_400)).and_then(|told| told.yaw), Some(-20.0), "nothing old in it");
    }

    #[test]
    fn a_pose_follows_within_a_tenth_of_a_second_and_a_blink_at_once() {
        let mut held = Held::default();
        held.see(ms(0), BOUNDS, Some(&landmarked(0.0, 170.0)));
        held.see(ms(100), BOUNDS, Some(&landmarked(30.0, -170.0)));
        let told = held.landmarks(ms(100)).unwrap();
        assert!(told.yaw.is_some_and(|yaw| (18.0..27.0).contains(&yaw)), "{told:?}");
        assert!(told.roll.is_some_and(|roll| roll.abs() > 170.0), "the short way round: {told:?}");
        assert_eq!(told.blink_left, Some(1.0));
    }
}
