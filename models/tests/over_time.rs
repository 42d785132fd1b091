//! Faces over time, from pixels to what is shown: labels that do not flicker, and a camera that is turned.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::time::Duration;

use common::clip::{StillClip, follow};
use common::{ASTRONAUT, GRACE_HOPPER, Picture, WEIGHTS};
use mien_models::{Analyzer, Detection, Doubt, Scope, Tracker};
use mien_shared::Expression;

fn analyzer() -> Analyzer {
    Analyzer::new_verified(&WEIGHTS).expect("the weights")
}

/// The serious portrait is a close call between neutral and happiness, so its label flickers most.
#[test]
fn the_label_of_a_still_face_changes_a_quarter_as_often_as_before() {
    let mut analyzer = analyzer();
    let grace = Picture::read(GRACE_HOPPER);
    let (mut before, mut now) = (0, 0);
    for side in [230.0, 180.0, 130.0, 105.0] {
        let mut clip = StillClip::of(&grace, [133.0, 116.0], side / 112.0);
        let ways = follow(&mut analyzer, &mut clip, 60, 15);
        println!("{side}: {} before, {} now", ways.before.labels(), ways.now.labels());
        before += ways.before.labels();
        now += ways.now.labels();
        let [raw, shown] = ways.now.deviations();
        assert!(shown <= 0.5 * raw, "scores waver by {shown}, those of single frames by {raw}");
    }
    assert!(before >= 4, "it does not flicker: {before}");
    assert!(4 * now <= before, "{now} changes, {before} before");
}

/// By how many degrees the line of the eyes is off.
fn off(face: &Detection, degrees: f32, width: f32, height: f32) -> f32 {
    let [right, left] = [face.keypoints[0], face.keypoints[1]];
    let tilt = ((left[1] - right[1]) * height).atan2((left[0] - right[0]) * width).to_degrees();
    let off = (tilt - degrees).rem_euclid(360.0);
    off.min(360.0 - off)
}

#[test]
fn a_camera_that_is_turned_shows_the_face_upright_or_says_that_it_is_turned() {
    let mut analyzer = analyzer();
    for file in [ASTRONAUT, GRACE_HOPPER] {
        let upright = Picture::read(file).as_camera();
        let turns = [0, 1, 2, 3, 0, 2, 0]
            .map(|turns| (turns, (0..turns).fold(upright.clone(), |picture, _| picture.turned())));
        let mut tracker = Tracker::new();
        let mut now = Duration::ZERO;
        for (turns, picture) in turns {
            let degrees = 90.0 * turns as f32;
            for frame in 0..12_u32 {
                let scope = if frame == 5 { Scope::Full } else { Scope::Near };
                let expected = tracker.expected();
                let seen =
                    analyzer.analyze_expecting(&picture.frame(), scope, 4, &expected).expect("an answer");
                now += Duration::from_millis(66);
                let shown = tracker.update(now, &seen.faces);
                let what = format!("{turns} turns, frame {frame}: {:?}", seen.faces);
                let [face] = &seen.faces[..] else { panic!("{what}") };
                let is_upright = off(face, degrees, picture.width as f32, picture.height as f32) < 30.0;
                let abstains = face.expression.is_none() && face.doubts.contains(&Doubt::Turned);
                assert!(is_upright || abstains, "{what}");
                if turns > 0 {
                    assert!(face.doubts.contains(&Doubt::Turned), "{what}");
                }
                if file == ASTRONAUT && frame > 6 {
                    assert_eq!(shown[0].expression, Some(Expression::Happiness), "{what}");
                }
            }
        }
    }
}
