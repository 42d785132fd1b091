//! How often the label of a still face changes, with a sensor's noise: `cargo run --release -p mien-models --example
//! flicker [FOLDER [EVERY]]`
//!
//! FOLDER has a folder of single-face photographs for each expression, of which every EVERYth is taken; without it, the
//! two portraits of the tests are. Prints changes a minute and deviations, before squares were steadied and now.
//! Asserts nothing.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::clip::{Changes, StillClip, Ways, follow};
use common::photographs::read;
use common::{ASTRONAUT, GRACE_HOPPER, Picture, WEIGHTS};
use mien_models::Analyzer;

const FPS: u32 = 15;
const FRAMES: u32 = 150;
/// Side of the face's square in pixels of the frame.
const SIDES: [f32; 2] = [230.0, 130.0];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut analyzer = Analyzer::new_verified(&WEIGHTS)?;
    let folder = std::env::args().nth(1);
    let every: usize = std::env::args().nth(2).map_or(Ok(1), |number| number.parse())?;
    let faces: Vec<(String, Picture, [f32; 3])> = match folder {
        Some(folder) => read(Path::new(&folder), &mut analyzer)?
            .into_iter()
            .step_by(every)
            .map(|photograph| (photograph.name, photograph.picture, photograph.square))
            .collect(),
        None => [
            ("astronaut", ASTRONAUT, [113.0, 60.0, 58.0]),
            ("grace_hopper", GRACE_HOPPER, [133.0, 116.0, 112.0]),
        ]
        .map(|(name, file, square)| (name.to_owned(), Picture::read(file), square))
        .into(),
    };
    let (mut before, mut now, mut minutes) = (0, 0, 0.0);
    println!("face side | label changes before now | deviation raw, shown before | raw, shown now | box");
    for (name, picture, [x, y, square]) in &faces {
        for side in SIDES {
            let mut clip = StillClip::of(picture, [*x, *y], side / square);
            let Ways { before: was, now: is } = follow(&mut analyzer, &mut clip, FRAMES, FPS);
            row(name, side, &was, &is);
            before += was.labels();
            now += is.labels();
            minutes += f64::from(FRAMES) / f64::from(FPS) / 60.0;
        }
    }
    println!(
        "label changes a minute: {:.2} before, {:.2} now",
        before as f64 / minutes,
        now as f64 / minutes
    );
    Ok(())
}

fn row(name: &str, side: f32, was: &Changes, is: &Changes) {
    let ([raw_was, shown_was], [raw_is, shown_is]) = (was.deviations(), is.deviations());
    println!(
        "{name:24} {side} | {:3} {:3} | {raw_was:.4} {shown_was:.4} | {raw_is:.4} {shown_is:.4} | {:.4}",
        was.labels(),
        is.labels(),
        was.box_deviation()
    );
}
