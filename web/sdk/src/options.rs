//! What the embedder passes in, and what its handlers are called with. Its mistakes and exceptions never reach the engine;
//! what it throws reaches its console.

use js_sys::{Error, Function, JSON, Object, Reflect};
use mien_engine::{RunStats, SourceChoice};
use mien_shared::Sample;
use wasm_bindgen::{JsCast, JsValue};

pub(crate) fn text(options: &JsValue, name: &str) -> Option<String> {
    Reflect::get(options, &name.into()).ok()?.as_string()
}

pub(crate) fn function(options: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(options, &name.into()).ok()?.dyn_into().ok()
}

/// An `Error` with a `code` beside its message.
pub(crate) fn error(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    // Setting a member of a plain object cannot fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}

pub(crate) fn source_of(input: JsValue) -> Option<SourceChoice> {
    match input.dyn_into::<web_sys::HtmlVideoElement>() {
        Ok(video) => Some(SourceChoice::Video(video.into())),
        Err(other) => {
            other.dyn_into::<web_sys::MediaStream>().ok().map(|stream| SourceChoice::Stream(stream.into()))
        }
    }
}

pub(crate) struct Handlers {
    sample: Option<Function>,
    stats: Option<Function>,
    fault: Option<Function>,
    end: Option<Function>,
}

impl Handlers {
    pub(crate) fn read(handlers: &JsValue) -> Self {
        let named = |name| function(handlers, name);
        Self {
            sample: named("onSample"),
            stats: named("onStats"),
            fault: named("onFault"),
            end: named("onEnd"),
        }
    }

    pub(crate) fn sample(&self, sample: &Sample, left_out: usize) {
        // Samples are only ever written by serde, here as on the wire.
        if let Ok(text) = serde_json::to_string(sample)
            && let Ok(value) = JSON::parse(&text)
        {
            if left_out > 0 {
                // Setting a member of a plain object cannot fail.
                let _ = Reflect::set(&value, &"faces_left_out".into(), &(left_out as f64).into());
            }
            call(self.sample.as_ref(), &value);
        }
    }

    pub(crate) fn stats(&self, stats: &RunStats) {
        let value = object(&[
            ("cameraFps", f64::from(stats.camera_fps).into()),
            ("analysedFps", f64::from(stats.analysed_fps).into()),
            ("skipped", (stats.skipped as f64).into()),
            ("inferenceMs", f64::from(stats.inference_ms).into()),
            ("workers", stats.workers.into()),
        ]);
        call(self.stats.as_ref(), &value);
    }

    pub(crate) fn fault(&self, is_final: bool, code: &str, message: &str) {
        let value = object(&[("final", is_final.into()), ("code", code.into()), ("message", message.into())]);
        call(self.fault.as_ref(), &value);
    }

    pub(crate) fn end(&self) {
        call(self.end.as_ref(), &JsValue::UNDEFINED);
    }
}

pub(crate) fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        // Setting a member of a plain object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

pub(crate) fn call(handler: Option<&Function>, value: &JsValue) {
    if let Some(handler) = handler
        && let Err(thrown) = handler.call1(&JsValue::NULL, value)
    {
        report(&thrown);
    }
}

/// What an embedder's function throws is reported as an uncaught exception: `window.onerror` is called and the console
/// shows it. The engine carries on.
pub(crate) fn report(thrown: &JsValue) {
    match function(&js_sys::global(), "reportError") {
        Some(report) => drop(report.call1(&JsValue::NULL, thrown)),
        // Chrome 91 to 94 can run the analysis but lack it. An unhandled rejection is shown as well.
        None => drop(js_sys::Promise::reject(thrown)),
    }
}
