//! Milliseconds per frame and per stage, best and median of many: `cargo run --release -p mien-models --example speed`.
//! Prints figures and asserts nothing: a busy machine must not fail a build.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use common::{ASTRONAUT, Picture, WEIGHTS};
use mien_models::expression::{CROP_SIDE, views};
use mien_models::image::Letterbox;
use mien_models::{Analyzer, Scope};

const ROUNDS: usize = 60;

fn main() {
    let portrait = Picture::read(ASTRONAUT);
    let picture = portrait.as_camera();
    let camera = picture.frame();
    let start = Instant::now();
    let mut analyzer = Analyzer::new(&WEIGHTS).expect("the weights");
    println!("load all three            {:7.2} ms", start.elapsed().as_secs_f64() * 1e3);

    let (mut square, mut row, mut crop) = (Vec::new(), Vec::new(), Vec::new());
    let letterbox = Letterbox::new(&camera, 1.0);
    time("letterbox 640×480 → 128", || letterbox.draw(&camera, 128, &mut square, &mut row));
    time("letterbox 640×480 → 256", || letterbox.draw(&camera, 256, &mut square, &mut row));
    let faces = analyzer.detect(&camera, Scope::Near).expect("faces");
    let views = views(&camera, faces.first().expect("a face"));
    time("crop of one view", || {
        crop.clear();
        views[1].draw(&camera, CROP_SIDE, &mut crop);
    });
    time("detect near", || drop(analyzer.detect(&camera, Scope::Near)));
    time("detect near and far", || drop(analyzer.detect(&camera, Scope::Full)));
    time("whole frame, near", || drop(analyzer.analyze(&camera, Scope::Near, 32)));
    time("whole frame, full", || drop(analyzer.analyze(&camera, Scope::Full, 32)));
}

fn time(what: &str, mut work: impl FnMut()) {
    let mut ms: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    ms.sort_by(f64::total_cmp);
    println!("{what:25} {:7.2} ms best, {:7.2} middle", ms[0], ms[ROUNDS / 2]);
}
