//! Samples, as the relay's own types and as JSON.

use mien_shared::{Coefficients, Expression, Face, FaceLandmarks, QualityReason, Sample, Scores};
use serde_json::{Value, json};

/// A sample with a face for each expression given.
pub fn with_faces(seq: u64, at: u64, faces: &[Option<Expression>]) -> Sample {
    let faces = faces.iter().zip(1_u32..).map(|(&expression, id)| Face {
        quality: (id % 2 == 1).then_some(0.75),
        ..Face::new(id, [0.25, 0.125, 0.5, 0.0625 * id as f32].into(), expression, scores(seq, expression))
    });
    Sample::new(seq, at, faces.collect())
}

/// A sample with faces of which different things are measured: everything, some of it, and nothing.
pub fn measured(seq: u64, at: u64) -> Sample {
    let mut sample = with_faces(seq, at, &[Some(Expression::Happiness), None, None]);
    let mut few = [f32::NAN; Coefficients::COUNT];
    few[25] = (seq % 11) as f32 / 10.0;
    let [all, some, _] = &mut sample.faces[..] else { unreachable!("three faces") };
    all.valence = Some(0.25);
    all.neutral = Some(7 + (seq % 3) as u32);
    all.why = vec![QualityReason::Turned, QualityReason::Small];
    all.landmarks = Some(Box::new(FaceLandmarks {
        yaw: Some(-12.5),
        pitch: Some(4.25),
        roll: Some(180.0),
        blink_left: Some(0.0),
        blink_right: Some(1.0),
        gaze: Some([-3.5, 8.0]),
        coefficients: Coefficients::new(&std::array::from_fn(|place| place as f32 / 51.0)),
    }));
    some.valence = Some(-0.75);
    some.landmarks = Some(Box::new(FaceLandmarks {
        roll: Some(0.5),
        coefficients: Coefficients::new(&few),
        ..FaceLandmarks::default()
    }));
    sample
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
