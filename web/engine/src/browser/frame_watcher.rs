//! When a video shows a new frame, and when that was captured.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;

use super::clock::{captured_before, captured_now, steady, steady_now};
use crate::clock::Captured;

/// Of looks at a video that moves on, without a callback in between: a quarter of a second each. Cameras in the dark
/// and slow films take less.
const LOST: u32 = 5;

/// A frame's own time is not this far ahead of the video's, seconds: Firefox counts on through the passes of a loop.
const AHEAD: f64 = 1.0;

type FrameCallback = Closure<dyn FnMut(f64, JsValue)>;

/// Listens to a video's frames by `requestVideoFrameCallback`, or to the screen's frames if that is missing.
#[derive(Debug)]
pub(crate) struct FrameWatcher(Rc<Watched>);

struct Watched {
    video: web_sys::HtmlVideoElement,
    /// Gets a frame's capture time and its position, seconds of the media.
    on: Box<dyn Fn(Captured, f64)>,
    callback: RefCell<Option<FrameCallback>>,
    /// Id of the pending callback.
    request_id: Cell<f64>,
    /// How far the video had come at the last look.
    looked_at: Cell<f64>,
    /// Looks that found the video moved on, since the last callback.
    missed: Cell<u32>,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watched({})", self.looked_at.get())
    }
}

impl Drop for FrameWatcher {
    fn drop(&mut self) {
        self.0.cancel();
        // Breaks the cycle: the callback holds what holds it.
        self.0.callback.borrow_mut().take();
    }
}

impl FrameWatcher {
    pub(crate) fn new(video: &web_sys::HtmlVideoElement, on: impl Fn(Captured, f64) + 'static) -> Self {
        let watched = Rc::new(Watched {
            video: video.clone(),
            on: Box::new(on),
            callback: RefCell::new(None),
            request_id: Cell::new(0.0),
            looked_at: Cell::new(progress(video)),
            missed: Cell::new(0),
        });
        let again = watched.clone();
        let last_time = Cell::new(-1.0);
        let callback = FrameCallback::new(move |_now: f64, metadata: JsValue| {
            again.missed.set(0);
            again.ask();
            let shown = again.video.current_time();
            if !metadata.is_undefined() || shown != last_time.replace(shown) {
                // Firefox has had `mediaTime` since 132; a browser without these callbacks does not know a frame's own.
                let own = number(&metadata, "mediaTime").filter(|own| own - shown < AHEAD);
                let position = own.unwrap_or(shown);
                (again.on)(captured(&metadata), position);
            }
        });
        *watched.callback.borrow_mut() = Some(callback);
        watched.ask();
        Self(watched)
    }

    /// Asks again if the video moves on and the browser has forgotten to call back, and reports what shows until it does.
    pub(crate) fn look(&self) {
        let reached = progress(&self.0.video);
        if reached == self.0.looked_at.replace(reached) {
            return;
        }
        let position = self.0.video.current_time();
        self.0.missed.set(self.0.missed.get() + 1);
        if self.0.missed.get() >= LOST {
            self.0.cancel();
            self.0.ask();
            let (weak, captured) = (Rc::downgrade(&self.0), captured_now());
            // Not synchronously, as no callback is: whoever looks may hold what the frame's receiver changes.
            spawn_local(async move {
                if let Some(watched) = weak.upgrade() {
                    (watched.on)(captured, position);
                }
            });
        }
    }

    /// Nothing was to be expected until now.
    pub(crate) fn rest(&self) {
        self.0.missed.set(0);
    }
}

impl Watched {
    fn cancel(&self) {
        let id = self.request_id.get();
        match (method(&self.video, "cancelVideoFrameCallback"), web_sys::window()) {
            (Some(cancel), _) => drop(cancel.call1(&self.video, &id.into())),
            (None, Some(window)) => drop(window.cancel_animation_frame(id as i32)),
            (None, None) => {}
        }
    }

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

/// What grows with each picture: a file's position, or how many pictures of a stream were shown, whose position goes on
/// without any (Chromium 156).
fn progress(video: &web_sys::HtmlVideoElement) -> f64 {
    if video.src_object().is_none() {
        return video.current_time();
    }
    let quality = method(video, "getVideoPlaybackQuality").and_then(|quality| quality.call0(video).ok());
    quality.and_then(|quality| number(&quality, "totalVideoFrames")).unwrap_or_default()
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
    let taken = number(metadata, "captureTime").map(steady);
    captured_before(taken.map_or(Duration::ZERO, |taken| steady_now().since(taken)))
}
