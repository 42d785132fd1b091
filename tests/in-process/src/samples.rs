//! Samples, as the relay's own types and as JSON.

use mien_shared::{Expression, Face, Sample, Scores};
use serde_json::{Value, json};

/// A sample with a face for each expression given.
pub fn with_faces(seq: u64, at: u64, faces: &[Option<Expression>]) -> Sample {
    let faces = faces.iter().zip(1_u32..).map(|(&expression, id)| Face {
        quality: (id % 2 == 1).then_some(0.75),
        ..Face::new(id, [0.25, 0.125, 0.5, 0.0625 * id as f32].into(), expression, scores(seq, expression))
    });
    Sample::new(seq, at, faces.collect())
}

fn scores(seq: u64, expression: Option<Expression>) -> Scores {
    let sharp = if expression.is_some() { 0.5 + (seq % 5) as f32 * 0.05 } else { 0.2 };
    let mut scores = [(1.0 - sharp) / 6.0; Expression::COUNT];
    scores[expression.map_or(0, Expression::index)] = sharp;
    Scores(scores)
}

/// A message of samples with one happy face each.
pub fn samples(seqs: impl IntoIterator<Item = u64>) -> Value {
    let samples: Vec<Value> = seqs.into_iter().map(sample).collect();
    json!({"type": "samples", "samples": samples})
}

pub fn sample(seq: u64) -> Value {
    json!({"seq": seq, "at": 1_000 + seq, "faces": [{
        "id": 1, "box": [0.25, 0.25, 0.5, 0.5], "expression": "happiness",
        "scores": [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0], "quality": 0.5
    }]})
}
