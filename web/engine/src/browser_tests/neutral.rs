//! The own neutral face of a person whom the workers see all the time.

use mien_models::{Detection, Look};
use mien_shared::{Expression, FaceBox, Scores};
use wasm_bindgen_test::wasm_bindgen_test;

use super::pool::WORKS;
use super::runs::{Told, engine_with};
use super::streams::Filmed;
use crate::{
    AnalysedFrame, CalibrationEnd, CalibrationState, Engine, NeutralTaken, Run, SourceChoice, SourceSlot,
};

/// A mouth that is shaped like a smile.
fn seen() -> Detection {
    Detection {
        strongest: None,
        landmarks: None,
        bounds: FaceBox { left: 0.3, top: 0.2, width: 0.4, height: 0.5 },
        keypoints: [[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.5, 0.6], [0.35, 0.4], [0.65, 0.4]],
        score: 0.9,
        scores: Scores([0.3, 0.6, 0.02, 0.02, 0.02, 0.02, 0.02]),
        expression: Some(Expression::Happiness),
        quality: 0.9,
        doubts: Vec::new(),
        look: Some(Look { margin: 0.4, mouth: None }),
    }
}

async fn run(told: &Told, filmed: &Filmed, faces: &[Detection]) -> (Engine, Run) {
    let found = format!("detections: {}", serde_json::to_string(faces).unwrap());
    let engine = engine_with(&SourceSlot::default(), &WORKS.replace("detections: []", &found)).await;
    let run = engine.start(SourceChoice::Stream(filmed.handle()), told.on()).await.unwrap();
    told.more_frames(2).await;
    (engine, run)
}

fn newest(told: &Told) -> AnalysedFrame {
    told.analysed().pop().unwrap()
}

fn ends(told: &Told) -> Vec<CalibrationEnd> {
    let end = |state| match state {
        CalibrationState::Ended(end) => Some(end),
        CalibrationState::Taking(_) => None,
    };
    told.calibration().into_iter().filter_map(end).collect()
}

#[wasm_bindgen_test]
async fn a_face_is_compared_with_its_own_neutral_one_until_that_is_reset() {
    let (told, filmed) = (Told::default(), Filmed::new());
    let (_engine, run) = run(&told, &filmed, &[seen()]).await;
    assert_eq!(told.calibration(), []);
    let before = newest(&told).faces.remove(0);
    assert_eq!((before.neutral, before.expression), (None, Some(Expression::Happiness)));

    assert!(run.calibrate());
    told.until(|told| !ends(told).is_empty()).await;
    let ended = ends(&told);
    let [CalibrationEnd::Taken(taken)] = ended.as_slice() else { panic!("{ended:?}") };
    let &[NeutralTaken { face, looks }] = taken.as_slice() else { panic!("{taken:?}") };
    assert_eq!(face, before.id);
    let progress: Vec<_> = told
        .calibration()
        .into_iter()
        .filter_map(|state| match state {
            CalibrationState::Taking(faces) => Some(faces[0]),
            CalibrationState::Ended(_) => None,
        })
        .collect();
    assert!(progress.windows(2).all(|pair| pair[0].looks < pair[1].looks), "{progress:?}");
    assert!(progress.iter().all(|now| now.looks < now.needed && now.obstacle.is_none()), "{progress:?}");
    assert_eq!(looks as usize, progress.len() + 1);

    told.more_frames(30).await;
    let after = newest(&told).faces.remove(0);
    assert_eq!((after.id, after.neutral, after.expression), (face, Some(looks), Some(Expression::Neutral)));
    for other in [Expression::Sadness, Expression::Fear, Expression::Surprise] {
        assert!((after.scores.of(other) - before.scores.of(other)).abs() < 1e-3, "{:?}", after.scores);
    }
    let sample = newest(&told).sample(1);
    assert_eq!(sample.faces[0].neutral, Some(looks), "the sample says so");

    run.reset_neutral();
    told.more_frames(30).await;
    let reset = newest(&told).faces.remove(0);
    assert_eq!((reset.neutral, reset.expression), (None, Some(Expression::Happiness)));
}

#[wasm_bindgen_test]
async fn a_calibration_can_be_cancelled_and_begun_anew() {
    let (told, filmed) = (Told::default(), Filmed::new());
    let (_engine, run) = run(&told, &filmed, &[seen()]).await;
    run.cancel_calibration();
    assert_eq!(told.calibration(), [], "there is nothing to cancel");
    run.calibrate();
    told.more_frames(3).await;
    run.calibrate();
    assert_eq!(ends(&told), [CalibrationEnd::Cancelled]);
    told.more_frames(3).await;
    run.cancel_calibration();
    assert_eq!(ends(&told).len(), 2);
    let states = told.calibration().len();
    told.more_frames(3).await;
    assert_eq!(told.calibration().len(), states, "nothing follows");
    assert_eq!(newest(&told).faces[0].neutral, None);
}
