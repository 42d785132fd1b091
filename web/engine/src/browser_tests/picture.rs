//! Pictures that people pick.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::browser::PickedFile;
use crate::browser::picture::{PICTURE_SIDE, PICTURE_SIDE_LIMIT, read};
use crate::browser::video::VideoSource;
use crate::faults::SourceFault;

/// A PNG of this size, made by the browser itself.
async fn png(width: u32, height: u32) -> PickedFile {
    let document = web_sys::window().unwrap().document().unwrap();
    let canvas: web_sys::HtmlCanvasElement = document.create_element("canvas").unwrap().unchecked_into();
    canvas.set_width(width);
    canvas.set_height(height);
    let promise = Promise::new(&mut |resolve, _| {
        let done = Closure::once_into_js(move |blob: JsValue| {
            resolve.call1(&JsValue::NULL, &blob).unwrap();
        });
        canvas.to_blob(done.unchecked_ref()).unwrap();
    });
    let blob = JsFuture::from(promise).await.unwrap();
    PickedFile::from(web_sys::File::new_with_blob_sequence(&Array::of1(&blob), "a.png").unwrap())
}

fn garbage(name: &str) -> PickedFile {
    let parts = Array::of1(&Uint8Array::from(&b"neither picture nor film"[..]));
    PickedFile::from(web_sys::File::new_with_u8_array_sequence(&parts, name).unwrap())
}

#[wasm_bindgen_test]
async fn a_picture_keeps_its_shape_and_shrinks_to_what_is_analysed() {
    let small = read(&png(300, 200).await).await.unwrap();
    assert_eq!((small.width, small.bitmap.width(), small.bitmap.height()), (300, 300, 200));
    let large = read(&png(4_096, 1_024).await).await.unwrap();
    assert_eq!((large.width, large.height), (4_096, 1_024));
    assert_eq!((large.bitmap.width(), large.bitmap.height()), (PICTURE_SIDE, PICTURE_SIDE / 4));
}

#[wasm_bindgen_test]
async fn a_picture_of_12000_pixels_is_refused_before_it_is_decoded() {
    let fault = read(&png(12_000, 10).await).await.unwrap_err();
    let limit = PICTURE_SIDE_LIMIT;
    assert_eq!(fault, SourceFault::PictureTooLarge { width: 12_000, height: 10, limit });
}

#[wasm_bindgen_test]
async fn what_is_no_picture_and_no_video_is_said_so() {
    assert_eq!(read(&garbage("a.png")).await.unwrap_err(), SourceFault::UnreadablePicture);
    assert_eq!(VideoSource::file(&garbage("a.mp4")).await.unwrap_err(), SourceFault::UnreadableVideo);
    assert_eq!(VideoSource::demo("/no-such.webm").await.unwrap_err(), SourceFault::DemoUnplayable);
}
