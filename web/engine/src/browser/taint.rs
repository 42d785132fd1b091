//! Whether the browser lets the page read what a video shows.

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// Whether the pictures of this video are withheld from the page, because it comes from another origin without that
/// origin's permission. The browser plays it all the same and even hands out bitmaps, which can neither be read nor
/// posted.
pub(crate) fn is_tainted(video: &web_sys::HtmlVideoElement) -> bool {
    let Some(context) = pixel() else { return false };
    // What cannot be drawn yet has not tainted it.
    if context.draw_image_with_html_video_element_and_dw_and_dh(video, 0.0, 0.0, 1.0, 1.0).is_err() {
        return false;
    }
    let read = || -> Result<JsValue, JsValue> {
        let read: Function = Reflect::get(&context, &"getImageData".into())?.dyn_into()?;
        Reflect::apply(&read, &context, &js_sys::Array::of4(&0.into(), &0.into(), &1.into(), &1.into()))
    };
    read().is_err()
}

/// A canvas of one pixel: a tainted one stays tainted, so it is used once.
fn pixel() -> Option<web_sys::CanvasRenderingContext2d> {
    let document = web_sys::window()?.document()?;
    let canvas: web_sys::HtmlCanvasElement = document.create_element("canvas").ok()?.dyn_into().ok()?;
    canvas.set_width(1);
    canvas.set_height(1);
    canvas.get_context("2d").ok()??.dyn_into().ok()
}
