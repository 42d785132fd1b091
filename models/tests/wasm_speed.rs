//! Milliseconds per stage in a browser's worker; nothing is asserted. Run it like `tests/analyzer.rs`, with `--test
//! wasm_speed -- --include-ignored --nocapture`.
#![cfg(target_arch = "wasm32")]

mod common;

use common::{ASTRONAUT, Picture, WEIGHTS};
use js_sys::wasm_bindgen::JsValue;
use js_sys::{Function, Reflect};
use mien_models::expression::{CROP_SIDE, views};
use mien_models::image::Letterbox;
use mien_models::{Analyzer, Scope};
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// The browser's clock has a resolution of a tenth of a millisecond at best: many rounds per reading.
const ROUNDS: u32 = 40;

#[wasm_bindgen_test]
#[ignore = "a measurement, not a test"]
fn milliseconds_a_stage() {
    let portrait = Picture::read(ASTRONAUT);
    let camera = portrait.as_camera();
    let frame = camera.frame();
    let start = now_ms();
    let mut analyzer = Analyzer::new(&WEIGHTS).expect("the weights");
    console_log!("load all three {:.0} ms", now_ms() - start);
    let (mut square, mut row, mut crop) = (Vec::new(), Vec::new(), Vec::new());
    let letterbox = Letterbox::new(&frame, 1.0);
    time("letterbox 640×480 → 128", || letterbox.draw(&frame, 128, &mut square, &mut row));
    time("letterbox 640×480 → 256", || letterbox.draw(&frame, 256, &mut square, &mut row));
    let faces = analyzer.detect(&frame, Scope::Near).expect("faces");
    let views = views(&frame, faces.first().expect("a face"));
    time("crop of one view", || {
        crop.clear();
        views[1].draw(&frame, CROP_SIDE, &mut crop);
    });
    time("detect near", || drop(analyzer.detect(&frame, Scope::Near)));
    time("detect near and far", || drop(analyzer.detect(&frame, Scope::Full)));
    time("whole frame, near", || drop(analyzer.analyze(&frame, Scope::Near, 32)));
    time("whole frame, full", || drop(analyzer.analyze(&frame, Scope::Full, 32)));
}

/// `performance.now()`, in a window as well as in a worker.
fn now_ms() -> f64 {
    let get =
        |object: &JsValue, name: &str| Reflect::get(object, &name.into()).expect("part of every browser");
    let performance = get(&js_sys::global(), "performance");
    let now: Function = get(&performance, "now").into();
    now.call0(&performance).ok().and_then(|ms| ms.as_f64()).expect("a number")
}

/// The best of three means: other work on the machine only slows it down.
fn time(what: &str, mut work: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = now_ms();
        (0..ROUNDS).for_each(|_| work());
        best = best.min((now_ms() - start) / f64::from(ROUNDS));
    }
    console_log!("{what:25} {best:7.2} ms");
}
