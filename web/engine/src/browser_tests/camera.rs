//! Cameras that the browser asks the person about.

use futures_util::future::FutureExt;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::CameraChoice;
use crate::browser::video::VideoSource;

/// Replaces the browser's prompt: permission is granted when the test calls `allow`.
pub(super) const QUESTION: &str = "
    const canvas = document.createElement('canvas');
    canvas.getContext('2d');
    const stream = canvas.captureStream();
    let allow;
    const asked = new Promise((done) => { allow = () => done(stream); });
    navigator.mediaDevices.getUserMedia = () => asked;
    return { allow, track: stream.getTracks()[0] };
";

#[wasm_bindgen_test]
async fn a_camera_that_is_allowed_after_everyone_left_goes_off() {
    let question = Function::new_no_args(QUESTION).call0(&JsValue::NULL).unwrap();
    let choice = CameraChoice::default();
    let mut opening = Box::pin(VideoSource::open_camera(&choice));
    assert!(opening.as_mut().now_or_never().is_none());
    drop(opening);
    let allow: Function = Reflect::get(&question, &"allow".into()).unwrap().unchecked_into();
    allow.call0(&JsValue::NULL).unwrap();
    TimeoutFuture::new(50).await;
    let track: web_sys::MediaStreamTrack = Reflect::get(&question, &"track".into()).unwrap().unchecked_into();
    assert_eq!(track.ready_state(), web_sys::MediaStreamTrackState::Ended);
    let media = web_sys::window().unwrap().navigator().media_devices().unwrap();
    Reflect::delete_property(&media, &"getUserMedia".into()).unwrap();
}
