//! Samples that follow from their number, so that anyone who reads one knows what it must contain.

use mien_shared::expression::{Expression, Scores};
use mien_shared::{Face, Sample};

/// Capture time of the sample before the first, Unix milliseconds.
const BEGUN_MS: u64 = 1_760_000_000_000;
const STEP_MS: u64 = 100;

/// The sample with this number, with this many faces.
pub fn sample(seq: u64, faces: usize) -> Sample {
    let face = |place: usize| {
        let label = (seq as usize + place) % 7;
        let mut scores = [0.0; 7];
        scores[label] = 0.75;
        scores[(label + 1) % 7] = 0.25;
        Face {
            quality: Some((seq % 8) as f32 / 8.0),
            ..Face::new(
                place as u32,
                [0.125 * (place % 8) as f32, 0.25, 0.125, 0.25].into(),
                Expression::from_index(label),
                Scores(scores),
            )
        }
    };
    Sample::new(seq, BEGUN_MS + STEP_MS * seq, (0..faces).map(face).collect())
}

/// The same as JSON, made invalid in one of the ways in which a single sample can be.
pub fn spoiled(seq: u64) -> String {
    let at = BEGUN_MS + STEP_MS * seq;
    let face = |face: &str| format!(r#"{{"seq":{seq},"at":{at},"faces":[{face}]}}"#);
    match seq % 6 {
        0 => format!(r#"{{"seq":{seq},"at":-1,"faces":[]}}"#),
        1 => format!(r#"{{"seq":{seq},"at":{at}}}"#),
        2 => face(r#"{"id":1,"box":[0,0,1,1],"expression":"joy","scores":[1,0,0,0,0,0,0]}"#),
        3 => face(r#"{"id":1,"box":[0,0,1,1],"expression":null,"scores":[1,1,0,0,0,0,0]}"#),
        4 => face(r#"{"id":1,"box":[0,0,0,1],"expression":null,"scores":[1,0,0,0,0,0,0]}"#),
        _ => face(r#"{"id":1,"box":[0,0,1e999,1],"expression":null,"scores":[1,0,0,0,0,0,0]}"#),
    }
}
