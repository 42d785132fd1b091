//! The screen's wake lock.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// Keeps the screen on until it is dropped, if the browser can and allows it.
#[derive(Debug)]
pub(crate) struct WakeLock {
    state: Rc<RefCell<State>>,
}

#[derive(Debug)]
enum State {
    /// The browser has not answered yet, or has refused.
    None,
    Held(JsValue),
    /// Dropped, perhaps before the browser has answered.
    Released,
}

impl WakeLock {
    /// By name: the binding for it is not stable yet.
    pub(crate) fn request() -> Self {
        let state = Rc::new(RefCell::new(State::None));
        let wake_lock = js_sys::Reflect::get(&window().navigator(), &"wakeLock".into()).unwrap_or_default();
        let request = call(&wake_lock, "request", &["screen".into()]);
        if let Some(request) = request.and_then(|promise| promise.dyn_into::<js_sys::Promise>().ok()) {
            let answered = state.clone();
            spawn_local(async move {
                // A refusal, as on a low battery, is no error. Unless it is awaited, the page reports one.
                let Ok(held) = JsFuture::from(request).await else { return };
                let before = answered.replace(State::Held(held));
                if let State::Released = before {
                    release(&answered);
                }
            });
        }
        Self { state }
    }
}

impl Drop for WakeLock {
    fn drop(&mut self) {
        release(&self.state);
    }
}

fn release(state: &RefCell<State>) {
    if let State::Held(held) = state.replace(State::Released)
        && let Some(released) =
            call(&held, "release", &[]).and_then(|promise| promise.dyn_into::<js_sys::Promise>().ok())
    {
        spawn_local(async move {
            // The browser may have released it already.
            let _ = JsFuture::from(released).await;
        });
    }
}

/// `None` if there is no such method, or it throws.
fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let method = js_sys::Reflect::get(object, &method.into()).ok()?.dyn_into::<js_sys::Function>().ok()?;
    method.apply(object, &arguments.iter().collect::<js_sys::Array>()).ok()
}
