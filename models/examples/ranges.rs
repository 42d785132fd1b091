//! How small a face each detector finds, and how far their boxes differ where both find it: `cargo run --release -p
//! mien-models --example ranges -- FOLDER [EVERY]`
//!
//! FOLDER has a folder of single-face photographs for each expression, of which every EVERYth is taken. Each is placed in
//! frames of 640×480 so that the longer side of its box has a number of pixels. Asserts nothing.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::WEIGHTS;
use common::clip::StillClip;
use common::photographs::read;
use mien_models::{Analyzer, Candidate, Detector, Scope};

const PIXELS: [f32; 13] = [16.0, 20.0, 24.0, 28.0, 32.0, 40.0, 48.0, 64.0, 80.0, 96.0, 112.0, 128.0, 192.0];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder with a folder for each expression")?;
    let every: usize = std::env::args().nth(2).map_or(Ok(1), |number| number.parse())?;
    let mut analyzer = Analyzer::new_verified(&WEIGHTS)?;
    let photographs = read(Path::new(&folder), &mut analyzer)?;
    println!("pixels  near   far  both | near box / far box: side ± deviation, across, down (sides)");
    for pixels in PIXELS {
        let (mut found, mut count) = ([0; 3], 0);
        let mut differs: Vec<[f32; 3]> = Vec::new();
        for photograph in photographs.iter().step_by(every) {
            let [x, y, square] = photograph.square;
            let picture = StillClip::of(&photograph.picture, [x, y], 1.15 * pixels / square).next();
            let frame = picture.frame();
            let near = largest(analyzer.detect_with(Detector::Near, &frame)?);
            let far = largest(analyzer.detect_with(Detector::Far, &frame)?);
            let both = largest(analyzer.detect(&frame, Scope::Full)?);
            count += 1;
            for (found, face) in found.iter_mut().zip([&near, &far, &both]) {
                *found += u32::from(face.is_some());
            }
            differs.extend(near.zip(far).map(|(near, far)| {
                let middle = |face: &Candidate| {
                    let b = face.strongest;
                    [b.left + b.width / 2.0, b.top + b.height / 2.0]
                };
                let side = |face: &Candidate| face.strongest.width;
                let [a, b] = [middle(&near), middle(&far)];
                [side(&near) / side(&far), (a[0] - b[0]) / side(&far), (a[1] - b[1]) * 0.75 / side(&far)]
            }));
        }
        let [near, far, both] = found.map(|found| f64::from(found) / f64::from(count));
        print!("{pixels:6}  {near:.2}  {far:.2}  {both:.2} |");
        if !differs.is_empty() {
            let quantile = |number: usize, at: f32| {
                let mut all: Vec<f32> = differs.iter().map(|differs| differs[number]).collect();
                all.sort_by(f32::total_cmp);
                all[((all.len() - 1) as f32 * at) as usize]
            };
            let deviation = (quantile(0, 0.75) - quantile(0, 0.25)) / 1.35;
            let [side, across, down] = [0, 1, 2].map(|number| quantile(number, 0.5));
            print!(" {side:.3} ± {deviation:.3}, {across:+.3}, {down:+.3}");
        }
        println!();
    }
    Ok(())
}

fn largest(faces: Vec<Candidate>) -> Option<Candidate> {
    let area = |face: &Candidate| face.bounds.width * face.bounds.height;
    faces.into_iter().max_by(|a, b| area(a).total_cmp(&area(b)))
}
