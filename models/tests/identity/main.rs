//! Identities over clips made in code: people who cross, are occluded, leave and return, come closer; a camera that
//! zooms; frame rates that halve in the middle. The detections are those of a detector that wavers, misses and merges.
#![cfg(not(target_arch = "wasm32"))]

mod clips;
mod measure;

use std::time::Duration;

use clips::{Clip, clips};
use measure::{Account, Figures};
use mien_models::Tracker;

/// Frames a second in the first half of a clip; there are half as many in the second.
const RATES: [f32; 4] = [30.0, 15.0, 10.0, 6.0];
const SEEDS: u64 = 6;

fn followed(clip: &Clip, fps: f32, seed: u64) -> Figures {
    let mut tracker = Tracker::new();
    let mut account = Account::default();
    for (seconds, people, detections) in clip.frames(fps, seed) {
        let faces = tracker.update(Duration::from_secs_f32(seconds), &detections);
        account.add(&people, &faces);
    }
    account.figures()
}

#[test]
fn identities_hold() {
    let mut faults = Vec::new();
    println!("{:28} {:>5} {:>9} {:>8} {:>7}", "clip", "fps", "switches", "misses", "IDF1");
    for clip in clips() {
        for fps in RATES {
            let runs: Vec<Figures> = (0..SEEDS).map(|seed| followed(&clip, fps, seed)).collect();
            let switches: usize = runs.iter().map(|run| run.switches).sum();
            let misses = runs.iter().map(|run| run.misses).sum::<f32>() / SEEDS as f32;
            let worst = runs.iter().map(|run| run.idf1).fold(1.0, f32::min);
            println!("{:28} {fps:5} {switches:9} {misses:8.3} {worst:7.3}", clip.name);
            if switches > 0 || worst < 0.95 {
                faults.push(format!("{} at {fps}: {switches} switches, IDF1 {worst:.3}", clip.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn who_is_gone_for_longer_than_a_moment_comes_back_as_somebody_else() {
    for fps in RATES {
        let figures = followed(&clips::gone_for_long(), fps, 1);
        assert_eq!((figures.identities, figures.switches), (2, 1), "{fps}");
    }
}
