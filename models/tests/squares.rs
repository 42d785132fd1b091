//! Both detectors and both scopes read a face in the same square, whatever share of the picture it takes up.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::photographs::{Differs, Looks, Photograph, london, median, near, read};
use common::{Picture, WEIGHTS};
use mien_models::{Analyzer, Detector, Scope, Tracker, Weights};
use mien_shared::FaceBox;

/// From a face in a room to one that is cut off on all sides.
const SHARES: [f32; 10] = [0.22, 0.25, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0, 1.1, 1.2];
/// Where the far detector's boxes match a face.
const FAR_IS_RIGHT: [f32; 7] = [0.25, 0.28, 0.32, 0.36, 0.4, 0.5, 0.6];
/// How far the medians may differ.
const SIDE: f32 = 0.02;
const MIDDLE: f32 = 0.03;

fn root() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs this")).join("..")
}

fn analyzer() -> Analyzer {
    Analyzer::new_verified(&WEIGHTS).expect("the weights")
}

/// The portraits, with the near detector's squares, taken at a size where it works best.
fn fixtures(analyzer: &mut Analyzer) -> Vec<Photograph> {
    let places = [("astronaut.png", [226.0, 121.0, 117.0]), ("grace_hopper.jpg", [267.0, 232.0, 225.0])];
    let mut fixtures = Vec::new();
    for (name, square) in places {
        let file = root().join("tests/fixtures").join(name);
        let picture = Picture::read(&fs::read(file).expect(name));
        let mut photograph = Photograph { name: name.to_owned(), label: None, picture, square };
        let (placed, middle) = photograph.placed(0.42);
        let found = near(analyzer, &placed).expect("a face");
        let shift = |axis: usize| square[axis] + found[axis] - middle[axis];
        photograph.square = [shift(0), shift(1), found[2]];
        fixtures.push(photograph);
    }
    fixtures
}

fn photographs_of_london(analyzer: &mut Analyzer) -> Option<Vec<Photograph>> {
    Some(read(&london()?, analyzer).expect("photographs"))
}

fn placed(photographs: &[Photograph], shares: &[f32]) -> Vec<(String, Picture, [f32; 3])> {
    let all = photographs.iter().flat_map(|photograph| shares.iter().map(move |share| (photograph, *share)));
    all.map(|(photograph, share)| {
        let (picture, right) = photograph.placed(share);
        (format!("{} at {share}", photograph.name), picture, right)
    })
    .collect()
}

#[track_caller]
fn near_enough(what: &str, differs: Differs) {
    println!("{what}: {differs:?}");
    let Differs { side, across, down } = differs;
    assert!((side - 1.0).abs() <= SIDE, "{what}: the side is {side} of what it should be");
    assert!(
        across.abs().max(down.abs()) <= MIDDLE,
        "{what}: the middle is {across}, {down} sides beside its place"
    );
}

/// Not just the median: where a face fills the picture, the far detector is surer of itself, and wrong.
#[test]
fn a_wider_scope_changes_no_square_of_a_portrait() {
    let mut analyzer = analyzer();
    for (what, picture, _) in placed(&fixtures(&mut analyzer), &SHARES) {
        let near = near(&mut analyzer, &picture).expect("a face");
        let full = Looks::In(Scope::Full).differs(&mut analyzer, &picture, near).expect("a face");
        near_enough(&what, full);
    }
}

#[test]
fn both_detectors_mean_the_same_extent_of_a_portrait() {
    let mut analyzer = analyzer();
    let placed = placed(&fixtures(&mut analyzer), &FAR_IS_RIGHT);
    for detector in [Detector::Near, Detector::Far] {
        let differs: Vec<Differs> = placed
            .iter()
            .map(|(_, picture, right)| {
                Looks::With(detector).differs(&mut analyzer, picture, *right).expect("a face")
            })
            .collect();
        near_enough(&format!("{detector:?}"), median(&differs));
    }
}

#[test]
fn a_small_face_is_read_where_the_far_detector_sees_it() {
    let mut analyzer = analyzer();
    for (what, picture, right) in placed(&fixtures(&mut analyzer), &[0.08, 0.1, 0.12, 0.14, 0.16]) {
        let faces = analyzer.detect(&picture.frame(), Scope::Full).expect("an answer");
        assert_eq!(faces.len(), 1, "{what}: {faces:?}");
        let Differs { side, .. } =
            Looks::In(Scope::Full).differs(&mut analyzer, &picture, right).expect("a face");
        assert!((side - 1.0).abs() < 0.15, "{what}: the side is {side} of what it should be");
    }
}

#[test]
fn londons_squares_are_the_reference_s() {
    let mut analyzer = analyzer();
    let Some(photographs) = photographs_of_london(&mut analyzer) else { return };
    let looks = [
        Looks::With(Detector::Near),
        Looks::With(Detector::Far),
        Looks::In(Scope::Near),
        Looks::In(Scope::Full),
    ];
    for looks in looks {
        let differs: Vec<Differs> = photographs
            .iter()
            .map(|photograph| {
                let found = looks.differs(&mut analyzer, &photograph.picture, photograph.square);
                found.unwrap_or_else(|| panic!("{}: no face", photograph.name))
            })
            .collect();
        near_enough(&format!("London, {looks:?}"), median(&differs));
    }
}

/// As they are, and cut as tightly as face collections usually are.
#[test]
fn a_wider_scope_costs_london_no_accuracy() {
    let mut analyzer = analyzer();
    let Some(photographs) = photographs_of_london(&mut analyzer) else { return };
    for share in [0.42, 1.2] {
        let [near, full] = [Scope::Near, Scope::Full].map(|scope| {
            let right = photographs.iter().filter(|photograph| {
                let (picture, _) = photograph.placed(share);
                let seen = analyzer.analyze(&picture.frame(), scope, 1).expect("an answer");
                seen.faces.first().map(|face| face.scores.top().0) == photograph.label
            });
            right.count() as f32 / photographs.len() as f32
        });
        println!("London at {share}: {near:.3} near, {full:.3} full");
        assert!(
            full >= near - 0.01,
            "{full} with both detectors and {near} with the near one alone, at {share}"
        );
    }
}

/// Near searches with a wide one in between, as for a camera.
#[test]
fn a_box_does_not_jump_when_the_detectors_take_turns() {
    let mut analyzer = analyzer();
    let shares = [0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.25, 0.3, 0.5, 0.8];
    for (what, picture, _) in placed(&fixtures(&mut analyzer), &shares) {
        let mut tracker = Tracker::new();
        let mut before: Option<FaceBox> = None;
        for frame in 0..36 {
            let scope = if frame % 11 == 0 { Scope::Full } else { Scope::Near };
            let expected = tracker.expected();
            let seen = analyzer.analyze_expecting(&picture.frame(), scope, 4, &expected).expect("an answer");
            let faces = tracker.update(Duration::from_millis(50) * frame, &seen.faces);
            let [face] = &faces[..] else { panic!("{what}, frame {frame}: {faces:?}") };
            assert_eq!(face.id, 1, "{what}, frame {frame}");
            if let Some(before) = before.replace(face.bounds) {
                let sides = |b: FaceBox| [b.left, b.top, b.left + b.width, b.top + b.height];
                let moved = sides(before).into_iter().zip(sides(face.bounds)).map(|(a, b)| (a - b).abs());
                let most = moved.fold(0.0, f32::max) / before.width.max(before.height);
                assert!(most < 0.05, "{what}, frame {frame}: a side moves by {most} of the box");
            }
        }
    }
}

/// What is right about them is in `scenes.rs`; this is that neither detector's faces are lost in the other's.
#[test]
fn both_detectors_together_find_whatever_either_finds() {
    let mut analyzer = analyzer();
    let (mut alone, mut near_alone) = ([0; 2], 0);
    let shares = [0.03, 0.05, 0.08, 0.12, 0.16, 0.25, 0.4, 0.7, 1.0, 1.2];
    for (what, picture, _) in placed(&fixtures(&mut analyzer), &shares) {
        let frame = picture.frame();
        let together = analyzer.detect(&frame, Scope::Full).expect("an answer");
        for (place, detector) in [Detector::Near, Detector::Far].into_iter().enumerate() {
            // All that they are sure of: the pictures have one face each.
            let found = analyzer.detect_with(detector, &frame).expect("an answer");
            for face in found.iter().filter(|face| face.score >= 0.8) {
                alone[place] += 1;
                let is_there = together.iter().any(|other| other.bounds.iou(&face.bounds) > 0.3);
                assert!(is_there, "{what}: what {detector:?} finds is lost: {face:?}");
            }
        }
        near_alone +=
            usize::from(!analyzer.detect_with(Detector::Near, &frame).expect("an answer").is_empty());
    }
    assert!(alone.iter().all(|count| *count > 8) && near_alone < 2 * shares.len(), "{alone:?} {near_alone}");
}

#[test]
fn a_near_face_needs_the_near_detector_alone() {
    let mut both = analyzer();
    let mut near = Analyzer::new(&Weights { far: None, ..WEIGHTS }).expect("the weights");
    for (what, picture, _) in placed(&fixtures(&mut both), &[0.2, 0.3, 0.5, 0.9]) {
        let [with, without] = [&mut both, &mut near]
            .map(|analyzer| analyzer.analyze(&picture.frame(), Scope::Near, 4).expect("an answer"));
        assert_eq!((with.faces.len(), &with), (1, &without), "{what}");
    }
}
