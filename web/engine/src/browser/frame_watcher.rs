//! When a video shows a new frame, and when that was captured.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::clock::{captured_now, steady};
use crate::clock::Captured;

type FrameCallback = Closure<dyn FnMut(f64, JsValue)>;

/// Listens to a video's frames by `requestVideoFrameCallback`, or to the screen's frames if that is missing.
#[derive(Debug)]
pub(crate) struct FrameWatcher(Rc<Watched>);

#[derive(Debug)]
struct Watched {
    video: web_sys::HtmlVideoElement,
    callback: RefCell<Option<FrameCallback>>,
    /// Id of the pending callback.
    request_id: Cell<f64>,
    /// Of the frame that was last reported, seconds of the media.
    position: Cell<f64>,
}

impl Drop for FrameWatcher {
    fn drop(&mut self) {
        let id = self.0.request_id.get();
        match (method(&self.0.video, "cancelVideoFrameCallback"), web_sys::window()) {
            (Some(cancel), _) => drop(cancel.call1(&self.0.video, &id.into())),
            (None, Some(window)) => drop(window.cancel_animation_frame(id as i32)),
            (None, None) => {}
        }
        // Breaks the cycle: the callback holds what holds it.
        self.0.callback.borrow_mut().take();
    }
}

impl FrameWatcher {
    pub(crate) fn new(video: &web_sys::HtmlVideoElement, on: impl Fn(Captured) + 'static) -> Self {
        let watched = Rc::new(Watched {
            video: video.clone(),
            callback: RefCell::new(None),
            request_id: Cell::new(0.0),
            position: Cell::new(f64::NAN),
        });
        let again = watched.clone();
        let last_time = Cell::new(-1.0);
        let callback = FrameCallback::new(move |_now: f64, metadata: JsValue| {
            again.ask();
            let shown = again.video.current_time();
            if !metadata.is_undefined() || shown != last_time.replace(shown) {
                // Firefox has had `mediaTime` since 132; a browser without these callbacks does not know a frame's own.
                again.position.set(number(&metadata, "mediaTime").unwrap_or(shown));
                on(captured(&metadata));
            }
        });
        *watched.callback.borrow_mut() = Some(callback);
        watched.ask();
        Self(watched)
    }

    /// Of the frame that was last reported, seconds of the media; not a number before the first.
    pub(crate) fn position_seconds(&self) -> f64 {
        self.0.position.get()
    }
}

impl Watched {
    fn ask(&self) {
        let callback = self.callback.borrow();
        let Some(callback) = callback.as_ref() else { return };
        let callback: &Function = callback.as_ref().unchecked_ref();
        let id = match (method(&self.video, "requestVideoFrameCallback"), web_sys::window()) {
            (Some(request), _) => request.call1(&self.video, callback).ok().and_then(|id| id.as_f64()),
            (None, Some(window)) => window.request_animation_frame(callback).ok().map(f64::from),
            (None, None) => None,
        };
        self.request_id.set(id.unwrap_or_default());
    }
}

fn method(video: &web_sys::HtmlVideoElement, name: &str) -> Option<Function> {
    Reflect::get(video, &name.into()).ok()?.dyn_into().ok()
}

/// A number of a frame's metadata, if the browser provides it.
fn number(metadata: &JsValue, name: &str) -> Option<f64> {
    if metadata.is_undefined() { None } else { Reflect::get(metadata, &name.into()).ok()?.as_f64() }
}

/// When the frame was captured: the camera's own time if the browser knows it, otherwise now.
fn captured(metadata: &JsValue) -> Captured {
    /// A greater age means that a clock is wrong, not that the frame is late.
    const OLDEST: Duration = Duration::from_secs(2);
    let now = captured_now();
    let age = number(metadata, "captureTime").map_or(Duration::ZERO, |taken| now.steady.since(steady(taken)));
    if age > OLDEST { now } else { now.before(age) }
}
