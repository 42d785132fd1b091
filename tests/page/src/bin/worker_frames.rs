//! What a frame costs in the page's worker: `worker-frames PAGE [OTHER]`, for `cargo xtask bench frame`.
//!
//! A frame is a camera's picture of 640×480 with one near face, as a bitmap. Measured is the time from posting it to the
//! worker to the answer. With another build's page both workers are asked in turns, so that whatever else the machine
//! does meets both.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use image::RgbaImage;
use image::imageops::{FilterType, crop_imm, resize};
use mien_kit::parts;
use mien_models::Scope;
use mien_page_tests::worker::Worker;

const TURNS: usize = 12;
/// Frames in a row of one worker.
const ROUNDS: u32 = 25;

fn main() -> anyhow::Result<()> {
    let pages: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    anyhow::ensure!((1..=2).contains(&pages.len()), "usage: worker-frames PAGE [OTHER]");
    let portrait = image::open(parts::fixture("astronaut.png")).context("the portrait")?.into_rgba8();
    let camera = camera(&portrait);
    let mut workers =
        pages.iter().map(|page| Ok(Worker::start(page)?)).collect::<anyhow::Result<Vec<_>>>()?;
    for (name, scope) in [("near", Scope::Near), ("near and far", Scope::Full)] {
        let mut ms: Vec<Vec<f64>> = vec![Vec::new(); workers.len()];
        let mut middles: Vec<Vec<f64>> = ms.clone();
        for turn in 0..=TURNS {
            for (place, worker) in workers.iter_mut().enumerate() {
                let of_turn = worker.time(&camera, scope, ROUNDS)?;
                // The first turn compiles the code.
                if turn > 0 {
                    middles[place].push(at(&of_turn, 0.5));
                    ms[place].extend(of_turn);
                }
            }
        }
        for (page, ms) in pages.iter().zip(&ms) {
            println!(
                "{name:12}  best {:6.2} ms  quarter {:6.2}  middle {:6.2}  {}",
                at(ms, 0.0),
                at(ms, 0.25),
                at(ms, 0.5),
                page.display()
            );
        }
        if let [these, others] = &middles[..] {
            let ratios: Vec<f64> = these.iter().zip(others).map(|(this, other)| this / other).collect();
            println!(
                "{name:12}  ratio of turns: middle {:.3}, from {:.3} to {:.3}; of the best frames {:.3}",
                at(&ratios, 0.5),
                at(&ratios, 0.0),
                at(&ratios, 1.0),
                at(&ms[0], 0.0) / at(&ms[1], 0.0),
            );
        }
    }
    if let Ok(load) = fs::read_to_string("/proc/loadavg") {
        println!("load of the machine at the end: {}", load.trim());
    }
    Ok(())
}

/// A face as near as before a laptop.
fn camera(portrait: &RgbaImage) -> RgbaImage {
    let (width, height) = (640, 480);
    let face = crop_imm(portrait, 64, 0, 320, 240).to_image();
    resize(&face, width, height, FilterType::Triangle)
}

/// A quantile.
fn at(numbers: &[f64], share: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}
