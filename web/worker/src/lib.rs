//! The inference worker: one typed message in, one out. Its only state is the loaded models and a canvas.
//!
//! The page posts the compiled code and the models (`boot.js` starts it), then frames. Each frame is drawn at the requested
//! size, read, analysed, and handed back with its answer; nothing of it is kept. There is no network and no storage here.
//!
//! If the first message says so, the worker reads a hidden page's frames instead (`reader.rs`).

mod pixels;
mod reader;

use js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array};
use mien_messages::{FrameHeader, FromWorker, ToWorker, WorkerFault, part};
use mien_models::{Analyzer, Frame, LandmarkWeights, Seen, Weights};
use mien_shared::limits::MAX_FACES;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, ImageBitmap, MessageEvent};

use crate::pixels::PixelReader;

/// Loads the models of the first message and answers every frame from then on, or becomes a reader.
#[wasm_bindgen]
pub fn serve(first: &JsValue) -> Result<(), JsValue> {
    console_error_panic_hook::set_once();
    let scope: DedicatedWorkerGlobalScope = js_sys::global().dyn_into()?;
    if let Some(asked) = reader::asked(first) {
        reader::serve(&scope, first, asked);
        return Ok(());
    }
    let mut worker = match Worker::load(first) {
        Ok(worker) => worker,
        Err(fault) => return post(&scope, &FromWorker::Failed { frame: None, fault }, None),
    };
    let answering = scope.clone();
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let data = event.data();
        let Some((answer, bitmap)) = worker.answer(&data) else { return };
        if post(&answering, &answer, bitmap.as_ref()).is_err() {
            // Without a port there is no one to report to.
            answering.close();
        }
    });
    scope.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    // It listens for as long as the worker lives.
    listener.forget();
    post(&scope, &FromWorker::Ready, None)
}

struct Worker {
    analyzer: Analyzer,
    pixels: PixelReader,
}

impl Worker {
    fn load(post: &JsValue) -> Result<Self, WorkerFault> {
        let load = |why: String| WorkerFault::Load { why };
        match header(post)? {
            ToWorker::Load => {}
            ToWorker::Infer(_) | ToWorker::Landmarks | ToWorker::ForgetLandmarks => {
                return Err(load("the first message must bring the models".to_owned()));
            }
        }
        let of = |name: &str| model(post, name).map_err(load);
        let (near, far, expression) = (of(part::NEAR)?, of(part::FAR)?, of(part::EXPRESSION)?);
        // The page has checked the hashes.
        let weights = Weights { near: &near, expression: &expression, far: Some(&far) };
        let analyzer = Analyzer::new(&weights).map_err(|cause| load(cause.to_string()))?;
        let pixels = PixelReader::new().map_err(|thrown| load(describe(&thrown)))?;
        Ok(Self { analyzer, pixels })
    }

    /// The answer, with the picture if there was one. A frame gets exactly one.
    fn answer(&mut self, post: &JsValue) -> Option<(FromWorker, Option<ImageBitmap>)> {
        match header(post) {
            Ok(ToWorker::Infer(request)) => Some(self.infer(&request, post)),
            Ok(ToWorker::Landmarks) => {
                let refused = self.add_landmarks(post).err();
                Some((FromWorker::Landmarks { refused }, None))
            }
            Ok(ToWorker::ForgetLandmarks) => {
                self.analyzer.remove_landmarks();
                None
            }
            Ok(ToWorker::Load) => {
                let why = "the models are loaded already".to_owned();
                Some((FromWorker::Failed { frame: None, fault: WorkerFault::Message { why } }, None))
            }
            Err(fault) => Some((FromWorker::Failed { frame: None, fault }, None)),
        }
    }

    /// Without them the worker goes on as before.
    fn add_landmarks(&mut self, post: &JsValue) -> Result<(), String> {
        let (landmarks, blendshapes) = (model(post, part::LANDMARKS)?, model(post, part::BLENDSHAPES)?);
        // The page has checked the hashes.
        let weights = LandmarkWeights { landmarks: &landmarks, blendshapes: &blendshapes };
        self.analyzer.add_landmarks(&weights).map_err(|cause| cause.to_string())
    }

    fn infer(&mut self, request: &FrameHeader, post: &JsValue) -> (FromWorker, Option<ImageBitmap>) {
        let frame = request.frame;
        let bitmap = Reflect::get(post, &part::BITMAP.into()).ok().and_then(|value| value.dyn_into().ok());
        let Some(bitmap) = bitmap else {
            let why = "there is no picture beside the message".to_owned();
            return (FromWorker::Failed { frame: Some(frame), fault: WorkerFault::Frame { why } }, None);
        };
        let answer = match self.analyse(request, &bitmap) {
            Ok(Seen { faces: detections, left_out }) => FromWorker::Scored { frame, detections, left_out },
            Err(fault) => FromWorker::Failed { frame: Some(frame), fault },
        };
        (answer, Some(bitmap))
    }

    fn analyse(&mut self, request: &FrameHeader, bitmap: &ImageBitmap) -> Result<Seen, WorkerFault> {
        let (width, height, rgba) = self
            .pixels
            .read(bitmap, request.long_side)
            .map_err(|thrown| WorkerFault::Frame { why: describe(&thrown) })?;
        let frame = Frame::new(width, height, &rgba)
            .map_err(|cause| WorkerFault::Frame { why: cause.to_string() })?;
        self.analyzer.look_at_landmarks_of(request.landmarks);
        self.analyzer
            .analyze_expecting(&frame, request.scope, MAX_FACES, &request.expected)
            .map_err(|cause| WorkerFault::Analysis { why: cause.to_string() })
    }
}

/// The bytes of the model beside a message.
fn model(post: &JsValue, name: &str) -> Result<Vec<u8>, String> {
    let bytes = Reflect::get(post, &name.into()).ok().and_then(|value| value.dyn_into::<ArrayBuffer>().ok());
    bytes.map(|bytes| Uint8Array::new(&bytes).to_vec()).ok_or_else(|| format!("no {name} model"))
}

fn header(post: &JsValue) -> Result<ToWorker, WorkerFault> {
    let text = Reflect::get(post, &part::HEADER.into())
        .ok()
        .and_then(|text| text.as_string())
        .ok_or_else(|| WorkerFault::Message { why: "it has no header".to_owned() })?;
    ToWorker::from_text(&text).map_err(|cause| WorkerFault::Message { why: cause.to_string() })
}

fn post(
    scope: &DedicatedWorkerGlobalScope,
    message: &FromWorker,
    bitmap: Option<&ImageBitmap>,
) -> Result<(), JsValue> {
    let object = Object::new();
    Reflect::set(&object, &part::HEADER.into(), &message.to_text().into())?;
    let Some(bitmap) = bitmap else { return scope.post_message(&object) };
    Reflect::set(&object, &part::BITMAP.into(), bitmap)?;
    scope.post_message_with_transfer(&object, &Array::of1(bitmap))
}

fn describe(thrown: &JsValue) -> String {
    thrown
        .dyn_ref::<js_sys::Error>()
        .map(|error| String::from(error.message()))
        .or_else(|| thrown.as_string())
        .unwrap_or_else(|| "unknown failure".to_owned())
}
