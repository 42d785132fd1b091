//! Taking neutral faces, as a promise.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Array, Function, Reflect};
use mien_engine::{CalibrationEnd, CalibrationState, FaceProgress, NeutralTaken, Obstacle};
use wasm_bindgen::JsValue;

use crate::options::{call, error, function, object};

/// The one that is in progress, if any. A clone is the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calibrations(Rc<RefCell<Option<Pending>>>);

#[derive(Debug)]
struct Pending {
    progress: Option<Function>,
    /// Dropped once the run has ended.
    end: oneshot::Sender<CalibrationEnd>,
}

impl Calibrations {
    /// `is_running`: whether the run has begun it; otherwise the run is over.
    pub(crate) fn begin(
        &self,
        options: &JsValue,
        is_running: bool,
    ) -> impl Future<Output = Result<JsValue, JsValue>> + use<> {
        let progress = function(options, "onProgress");
        let (end, ended) = oneshot::channel();
        if is_running {
            self.0.replace(Some(Pending { progress, end }));
        }
        async move {
            match ended.await {
                Ok(CalibrationEnd::Taken(faces)) => Ok(taken(&faces)),
                Ok(CalibrationEnd::NotTaken(obstacle)) => Err(not_taken(obstacle)),
                Ok(CalibrationEnd::Cancelled) => Err(error("cancelled", "The calibration was cancelled.")),
                Err(oneshot::Canceled) => Err(error("run_ended", "The run has ended.")),
            }
        }
    }

    pub(crate) fn tell(&self, state: CalibrationState) {
        match state {
            CalibrationState::Taking(faces) => {
                // The handler may begin another one.
                let progress = self.0.borrow().as_ref().and_then(|pending| pending.progress.clone());
                if progress.is_some() {
                    call(progress.as_ref(), &faces.iter().map(progress_of).collect::<Array>());
                }
            }
            CalibrationState::Ended(end) => {
                if let Some(pending) = self.0.take() {
                    // Nobody waits for a promise that was dropped.
                    let _ = pending.end.send(end);
                }
            }
        }
    }

    /// The run has ended.
    pub(crate) fn end(&self) {
        drop(self.0.take());
    }
}

fn progress_of(now: &FaceProgress) -> JsValue {
    object(&[
        ("face", now.face.into()),
        ("looks", now.looks.into()),
        ("needed", now.needed.into()),
        ("obstacle", now.obstacle.map_or(JsValue::NULL, |obstacle| obstacle.name().into())),
    ])
}

fn taken(faces: &[NeutralTaken]) -> JsValue {
    let face = |taken: &NeutralTaken| object(&[("face", taken.face.into()), ("looks", taken.looks.into())]);
    object(&[("faces", faces.iter().map(face).collect::<Array>().into())])
}

fn not_taken(obstacle: Option<Obstacle>) -> JsValue {
    let fault = error("neutral_not_taken", "No face gave enough good looks.");
    if let Some(obstacle) = obstacle {
        // Setting a member of a plain object cannot fail.
        let _ = Reflect::set(&fault, &"obstacle".into(), &obstacle.name().into());
    }
    fault
}
