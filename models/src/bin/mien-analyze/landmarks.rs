//! Landmarks as cells of a row.

use mien_shared::{Coefficients, Face};

const BEFORE: [&str; 7] = ["yaw", "pitch", "roll", "blink_left", "blink_right", "gaze_right", "gaze_up"];
pub(crate) const COUNT: usize = BEFORE.len() + Coefficients::COUNT;

pub(crate) fn columns() -> impl Iterator<Item = &'static str> {
    BEFORE.into_iter().chain(Coefficients::NAMES)
}

/// What was not measured is an empty cell.
pub(crate) fn cells(face: &Face) -> Vec<String> {
    let Some(of) = &face.landmarks else { return vec![String::new(); COUNT] };
    let [right, up] = of.gaze.map_or([None; 2], |gaze| gaze.map(Some));
    let before = [of.yaw, of.pitch, of.roll, of.blink_left, of.blink_right, right, up];
    let cell = |number: Option<f32>| number.map_or_else(String::new, |number| number.to_string());
    before.into_iter().chain(of.coefficients.values()).map(cell).collect()
}
