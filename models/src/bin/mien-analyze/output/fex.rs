//! The columns of Py-Feat's first detector (`Detectorv1`), which its `read_feat` and `Fex` take. Those that are not
//! measured here (landmarks, pose, action units, identity vectors) are left out. Never both `valence` and `arousal`:
//! by these it tells its second detector, whose other columns have other names.

use mien_shared::Expression;

use super::cells::{append, number, quoted};
use super::format::{Layout, Origin};
use crate::report::{Report, Seen};

/// Tells one picture's rows from another's.
pub(crate) const INPUT: usize = 14;
pub(crate) const FRAME: usize = 15;

/// In Py-Feat's order.
const EMOTIONS: [Expression; Expression::COUNT] = [
    Expression::Anger,
    Expression::Disgust,
    Expression::Fear,
    Expression::Happiness,
    Expression::Sadness,
    Expression::Surprise,
    Expression::Neutral,
];

pub(crate) fn header(layout: Layout) -> Vec<&'static str> {
    let mut names = vec!["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"];
    names.extend(EMOTIONS.map(Expression::name));
    names.extend(["FrameHeight", "FrameWidth", "input", "frame"]);
    names.extend(layout.origin.has_times().then_some("media_ms"));
    names.extend((layout.origin == Origin::FollowedFilm).then_some("Identity"));
    names
}

/// `frame` numbers pictures, too: Py-Feat takes the rows of one number for the faces of one picture.
pub(crate) fn append_rows(report: &Report, origin: Origin, frame: u64, record: &mut Vec<u8>) {
    for seen in &report.faces {
        append(record, &row(report, Some(seen), origin, frame));
    }
    if report.faces.is_empty() {
        append(record, &row(report, None, origin, frame));
    }
}

fn row(report: &Report, seen: Option<&Seen>, origin: Origin, frame: u64) -> Vec<String> {
    let [width, height] = report.size;
    let mut row = Vec::with_capacity(FRAME + 3);
    if let Some(Seen { face, certainty }) = seen {
        let bounds = face.bounds;
        row.push((bounds.left * width as f32).to_string());
        row.push((bounds.top * height as f32).to_string());
        row.push((bounds.width * width as f32).to_string());
        row.push((bounds.height * height as f32).to_string());
        row.push(number(*certainty));
        row.extend(EMOTIONS.map(|expression| face.scores.of(expression).to_string()));
    } else {
        row.resize(5 + EMOTIONS.len(), String::new());
    }
    row.extend([height.to_string(), width.to_string(), quoted(&report.file), frame.to_string()]);
    row.extend(origin.has_times().then(|| number(report.moment.and_then(|moment| moment.media_ms))));
    if origin == Origin::FollowedFilm {
        row.push(seen.map_or_else(String::new, |seen| quoted(&format!("Person_{}", seen.face.id))));
    }
    row
}
