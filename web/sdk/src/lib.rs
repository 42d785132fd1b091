//! Mien for embedders: the engine of the page as an npm package with TypeScript types.
//!
//! ```js
//! const mien = await Mien.load();
//! const run = await mien.start(video, { onSample: (sample) => console.log(sample) });
//! run.stop();
//! ```
//! A sample contains numbers about faces and no pixels. Nothing is sent anywhere; the embedder decides what happens to
//! samples.

mod calibration;
mod faults;
mod options;
mod place;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mien_engine::{
    Assets, Engine, EngineConfig, LoadProgress, ModelName, RunEvent, SourceChoice, SourceState,
};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::calibration::Calibrations;
use crate::faults::{load_code, run_code, source_code};
use crate::options::{Handlers, Progress, source_of};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "MienLoadOptions")]
    pub type LoadOptions;
    #[wasm_bindgen(typescript_type = "MienProgressOptions")]
    pub type ProgressOptions;
    #[wasm_bindgen(typescript_type = "HTMLVideoElement | MediaStream")]
    pub type MediaInput;
    #[wasm_bindgen(typescript_type = "MienHandlers")]
    pub type HandlersInput;
    #[wasm_bindgen(typescript_type = "MienCalibrateOptions")]
    pub type CalibrateOptions;
    #[wasm_bindgen(typescript_type = "Promise<MienCalibration>")]
    pub type CalibrationPromise;
}

/// The models, loaded, and the workers, running.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Mien {
    engine: Engine,
}

#[wasm_bindgen]
impl Mien {
    /// Loads worker and models: from the folder `baseUrl`, or else from where the package is, or where a bundler has put
    /// its files.
    pub async fn load(options: Option<LoadOptions>) -> Result<Mien, JsValue> {
        console_error_panic_hook::set_once();
        let options = options.map(JsValue::from).unwrap_or_default();
        let assets = match options::text(&options, "baseUrl") {
            Some(base) => Assets::under(&base),
            None => place::assets()
                .ok_or_else(|| options::error("not_built", "This bundle does not say where the package’s files are: pass their folder to Mien.load as baseUrl."))?,
        };
        let (progress, landmarks) = (Progress::of(&options), options::flag(&options, "landmarks"));
        let (told, more) = (progress.clone(), if landmarks { landmark_bytes() } else { 0 });
        let required = Rc::new(Cell::new(0));
        let total = required.clone();
        let engine = Engine::load(EngineConfig::new(assets), move |now| {
            total.set(now.total_bytes);
            told.tell(now.loaded_bytes, now.total_bytes + more);
        })
        .await
        .map_err(|fault| options::error(load_code(&fault), &fault.to_string()))?;
        let mien = Self { engine };
        if landmarks {
            let before = required.get();
            let on =
                move |now: LoadProgress| progress.tell(before + now.loaded_bytes, before + now.total_bytes);
            mien.add_landmarks(on).await?;
        }
        Ok(mien)
    }

    /// Switches landmarks on or off: head pose, blinks, gaze and coefficients of every face. Switched on, it fetches
    /// their models and resolves once they are used; if that fails, the analysis goes on without them.
    #[wasm_bindgen(js_name = setLandmarks)]
    pub async fn set_landmarks(&self, on: bool, options: Option<ProgressOptions>) -> Result<(), JsValue> {
        if !on {
            self.engine.remove_landmarks();
            return Ok(());
        }
        let progress = Progress::of(&options.map(JsValue::from).unwrap_or_default());
        self.add_landmarks(move |now| progress.tell(now.loaded_bytes, now.total_bytes)).await
    }

    /// Analyses a playing video element or a stream until the run is stopped or its source ends, whether or not
    /// anybody holds what this returns. One run at a time: a newer one ends the older, and a start that another one
    /// overtakes is rejected with the code `replaced`.
    pub async fn start(&self, input: MediaInput, handlers: HandlersInput) -> Result<MienRun, JsValue> {
        let source: SourceChoice = source_of(input.into()).ok_or_else(|| {
            options::error("invalid_input", "start takes a video element or a media stream")
        })?;
        let handlers = Handlers::read(&handlers.into());
        let seq = Cell::new(0);
        // The run's own callback holds the run and its engine until it ends: an embedder that drops its handles, which
        // JavaScript may collect at any time, has not asked it to stop.
        let engine = self.engine.clone();
        let held = Rc::new(RefCell::new(None));
        let holder = held.clone();
        let calibrations = Calibrations::default();
        let told = calibrations.clone();
        let run = self
            .engine
            .start(source, move |event| match event {
                RunEvent::Frame(frame) => {
                    seq.set(seq.get() + 1);
                    handlers.sample(&frame.sample(seq.get()), frame.left_out);
                }
                RunEvent::Stats(stats) => handlers.stats(&stats),
                RunEvent::SourceState(SourceState::Silent(silence)) => {
                    handlers.fault(false, "source_silent", &silence.to_string());
                }
                // The next sample makes this clear.
                RunEvent::SourceState(SourceState::Playing) => {}
                RunEvent::Fault(fault) => {
                    handlers.fault(fault.is_final(), run_code(&fault), &fault.to_string());
                }
                RunEvent::Calibration(state) => told.tell(state),
                RunEvent::Ended(_) => {
                    let _until_now = &engine;
                    told.end();
                    handlers.end();
                    drop(holder.take());
                }
            })
            .await
            .map_err(|fault| options::error(source_code(&fault), &fault.to_string()))?;
        held.replace(Some(run));
        Ok(MienRun { run: held, calibrations })
    }
}

impl Mien {
    /// A wish that was withdrawn meanwhile is no failure.
    async fn add_landmarks(&self, on: impl Fn(LoadProgress) + 'static) -> Result<(), JsValue> {
        let added = self.engine.add_landmarks(on).await;
        added.map(drop).map_err(|fault| options::error(load_code(&fault), &fault.to_string()))
    }
}

fn landmark_bytes() -> u64 {
    ModelName::FOR_LANDMARKS.iter().map(|model| model.bytes()).sum()
}

/// A running analysis. The video or stream stays the embedder's: stopping a run does not stop it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct MienRun {
    run: Rc<RefCell<Option<mien_engine::Run>>>,
    calibrations: Calibrations,
}

#[wasm_bindgen]
impl MienRun {
    /// Analyses nothing until `resume`.
    pub fn pause(&self) {
        if let Some(run) = &*self.run.borrow() {
            run.pause();
        }
    }

    pub fn resume(&self) {
        if let Some(run) = &*self.run.borrow() {
            run.resume();
        }
    }

    /// Takes the own neutral face of everyone in view: three seconds of looking at the camera, the face relaxed. From then
    /// on these faces are compared with it, for as long as they keep their identity. Another call begins anew.
    pub fn calibrate(&self, options: Option<CalibrateOptions>) -> CalibrationPromise {
        // One in progress is cancelled by this, and its promise rejected, before the next is noted.
        let is_running = self.run.borrow().as_ref().is_some_and(mien_engine::Run::calibrate);
        let options = options.map(JsValue::from).unwrap_or_default();
        let taken = self.calibrations.begin(&options, is_running);
        // Not an `async fn`: that would borrow the handle, which could not be freed meanwhile.
        future_to_promise(taken).unchecked_into()
    }

    /// The promise of `calibrate` is rejected; what was taken before remains.
    #[wasm_bindgen(js_name = cancelCalibration)]
    pub fn cancel_calibration(&self) {
        if let Some(run) = &*self.run.borrow() {
            run.cancel_calibration();
        }
    }

    /// Faces are no longer compared with their own neutral ones.
    #[wasm_bindgen(js_name = resetNeutral)]
    pub fn reset_neutral(&self) {
        if let Some(run) = &*self.run.borrow() {
            run.reset_neutral();
        }
    }

    /// Leaves a face of the newest sample out of later ones: a poster, a bystander. It stays so while it is followed, and
    /// when it comes back soon after to the same place with the same size; what kept still keeps its place. False if
    /// there is no such face.
    #[wasm_bindgen(js_name = leaveOut)]
    pub fn leave_out(&self, id: u32) -> bool {
        self.run.borrow().as_ref().is_some_and(|run| run.leave_out(id))
    }

    /// Undoes `leaveOut` of this identity. False if it was not left out.
    #[wasm_bindgen(js_name = bringBack)]
    pub fn bring_back(&self, id: u32) -> bool {
        self.run.borrow().as_ref().is_some_and(|run| run.bring_back(id))
    }

    /// Ends the run. Calling it again does nothing.
    pub fn stop(&self) {
        drop(self.run.take());
    }
}
