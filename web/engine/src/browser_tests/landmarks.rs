//! Landmarks switched on and off under workers that claim to have them: who gets the models, and what a failure costs.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::FutureExt;
use gloo_timers::future::TimeoutFuture;
use js_sys::ArrayBuffer;
use wasm_bindgen_test::wasm_bindgen_test;

use super::pool::kit;
use super::runs::Told;
use super::streams::Filmed;
use crate::browser::worker::LandmarkBuffers;
use crate::{
    AnalysedFrame, Assets, Engine, EngineConfig, LandmarkUrls, LoadFault, ModelName, RunEvent, RunFault,
    SourceChoice,
};

/// Finds one face in each frame, with landmarks if it has the models and is asked for them.
const MEASURES: &str = r#"
let has = false;
self.onmessage = ({ data }) => {
  const message = JSON.parse(data.header);
  if (message.type === "load") { post({ type: "ready" }); return; }
  if (message.type === "landmarks") {
    TROUBLE
    has = data.landmarks.byteLength > 0 && data.blendshapes.byteLength > 0;
    post({ type: "landmarks", refused: null });
    return;
  }
  if (message.type === "forgetlandmarks") { has = false; return; }
  const face = {
    box: [0.2, 0.2, 0.5, 0.5], keypoints: Array(6).fill([0.5, 0.5]), score: 0.9,
    scores: [1, 0, 0, 0, 0, 0, 0], expression: "neutral", quality: 0.9,
  };
  if (has && message.landmarks === "all") {
    face.landmarks = { measured: { yaw: 12, pitch: 3, roll: -4, coefficients: {} }, outline: [] };
  }
  setTimeout(() => post({ type: "scored", frame: message.frame, detections: [face] }, data.bitmap), 10);
};
function post(header, bitmap) {
  self.postMessage({ header: JSON.stringify(header), bitmap }, bitmap ? [bitmap] : []);
}
"#;

fn models() -> LandmarkBuffers {
    LandmarkBuffers { landmarks: ArrayBuffer::new(8), blendshapes: ArrayBuffer::new(8) }
}

async fn engine(trouble: &str, assets: Assets) -> Engine {
    let kit = kit(&MEASURES.replace("TROUBLE", trouble));
    Engine::over(EngineConfig::new(assets), kit, 2).await.unwrap()
}

fn has_landmarks(frame: &AnalysedFrame) -> bool {
    frame.faces.iter().any(|face| face.landmarks.is_some())
}

fn newest(told: &Told) -> Option<AnalysedFrame> {
    told.analysed().pop()
}

#[wasm_bindgen_test]
async fn switched_on_they_are_in_every_frame_and_switched_off_in_none() {
    let engine = engine("", Assets::under("/")).await;
    let (told, filmed) = (Told::default(), Filmed::new());
    let _run = engine.start(SourceChoice::Stream(filmed.handle()), told.on()).await.unwrap();
    told.more_frames(3).await;
    assert!(!told.analysed().iter().any(has_landmarks), "nobody asked for them");

    assert_eq!(engine.use_landmarks(models()).await, Ok(true));
    told.until(|told| newest(told).is_some_and(|frame| has_landmarks(&frame))).await;
    let before = told.analysed().len();
    told.more_frames(6).await;
    // Both workers have them, and between the frames that were looked at they are held.
    assert!(told.analysed()[before..].iter().all(has_landmarks));
    let frame = newest(&told).unwrap();
    assert_eq!(frame.sample(1).faces[0].landmarks.as_ref().and_then(|of| of.yaw), Some(12.0));
    assert_eq!(frame.outlines.len(), 1);

    engine.remove_landmarks();
    told.until(|told| newest(told).is_some_and(|frame| !has_landmarks(&frame))).await;
    let before = told.analysed().len();
    told.more_frames(6).await;
    assert!(!told.analysed()[before..].iter().any(has_landmarks));
}

#[wasm_bindgen_test]
async fn a_download_that_fails_is_told_and_the_expressions_go_on() {
    let nowhere = LandmarkUrls { landmarks: "/no/l.onnx".to_owned(), blendshapes: "/no/b.onnx".to_owned() };
    let assets = Assets { landmarks: Some(nowhere), ..Assets::under("/") };
    let engine = engine("", assets).await;
    let (told, filmed) = (Told::default(), Filmed::new());
    let _run = engine.start(SourceChoice::Stream(filmed.handle()), told.on()).await.unwrap();
    let progress = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..2 {
        let seen = progress.clone();
        let fault =
            engine.add_landmarks(move |now| seen.borrow_mut().push(now.total_bytes)).await.unwrap_err();
        assert!(
            matches!(fault, LoadFault::ModelMissing { model, .. } if ModelName::FOR_LANDMARKS.contains(&model)),
            "{fault:?}"
        );
    }
    let total: u64 = ModelName::FOR_LANDMARKS.iter().map(|model| model.bytes()).sum();
    assert!(progress.borrow().len() >= 2 && progress.borrow().iter().all(|bytes| *bytes == total));
    told.more_frames(3).await;
    assert!(told.analysed().iter().all(|frame| frame.faces.len() == 1 && !has_landmarks(frame)));
}

#[wasm_bindgen_test]
async fn whoever_switches_off_before_they_are_there_gets_none() {
    let engine = engine("return;", Assets::under("/")).await;
    let mut adding = Box::pin(engine.use_landmarks(models()));
    assert!(adding.as_mut().now_or_never().is_none(), "no worker has answered");
    engine.remove_landmarks();
    assert_eq!(adding.await, Ok(false));
}

/// A phone may lack the memory. The worker starts again, without them.
#[wasm_bindgen_test]
async fn a_worker_that_dies_of_them_costs_the_landmarks_and_not_the_analysis() {
    let engine = engine("throw new Error('out of memory');", Assets::under("/")).await;
    let (told, filmed) = (Told::default(), Filmed::new());
    let _run = engine.start(SourceChoice::Stream(filmed.handle()), told.on()).await.unwrap();
    told.more_frames(1).await;
    let fault = engine.use_landmarks(models()).await.unwrap_err();
    assert!(
        matches!(&fault, LoadFault::WorkerFailed { detail } if detail.contains("out of memory")),
        "{fault:?}"
    );
    told.more_frames(10).await;
    TimeoutFuture::new(500).await;
    told.more_frames(10).await;
    let analysed = told.analysed();
    assert!(analysed.iter().all(|frame| frame.faces.len() == 1 && !has_landmarks(frame)));
}

/// A worker that starts later gets them, too; if it refuses, the run says so.
#[wasm_bindgen_test]
async fn a_refusal_after_they_were_there_is_told_by_the_run() {
    let trouble = "if (globalThis.refuses) { post({ type: 'landmarks', refused: 'no room' }); return; }
        globalThis.refuses = true;";
    let engine = engine(trouble, Assets::under("/")).await;
    let (told, filmed) = (Told::default(), Filmed::new());
    let _run = engine.start(SourceChoice::Stream(filmed.handle()), told.on()).await.unwrap();
    assert_eq!(engine.use_landmarks(models()).await, Ok(true));
    told.more_frames(2).await;
    engine.share_landmarks_again();
    let lost = RunEvent::Fault(RunFault::LandmarksLost { detail: "no room".to_owned() });
    told.until(|told| told.news().contains(&format!("{lost:?}"))).await;
    told.until(|told| newest(told).is_some_and(|frame| !has_landmarks(&frame))).await;
}
