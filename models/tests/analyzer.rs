//! The whole analyzer on real pixels, natively and in a browser's worker: both are compared with one stored answer, so
//! they agree with each other.
//!
//! In headless Chromium:
//! `CHROMEDRIVER=… CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner cargo test --release
//! --target wasm32-unknown-unknown -p mien-models --no-default-features --features inference --test analyzer`

mod common;

use common::{ASTRONAUT, Case, EXPRESSION, FAR, GRACE_HOPPER, NEAR, Picture, WEIGHTS, cases};
use mien_models::{Analyzer, Detection, Doubt, ModelError, ModelId, Scope, Weights};
use mien_shared::{Expression, FaceBox};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

const GOLDEN: &str = include_str!("data/golden.json");
/// Half of the difference that the contract allows between native and wasm (1e-3): each is compared with the stored
/// answer.
const TOLERANCE: f32 = 5e-4;

#[test]
fn the_answers_are_the_stored_ones() {
    let golden: Vec<Case> = serde_json::from_str(GOLDEN).expect("the stored answers");
    let cases = cases();
    assert_eq!(cases.len(), golden.len());
    for (case, stored) in cases.iter().zip(&golden) {
        assert_eq!((&case.name, case.faces.len()), (&stored.name, stored.faces.len()));
        for (face, expected) in case.faces.iter().zip(&stored.faces) {
            let differs = difference(face, expected);
            assert!(differs <= TOLERANCE, "{}: differs by {differs}", case.name);
            assert_eq!(face.expression, expected.expression, "{}", case.name);
        }
    }
}

/// The largest difference between any two corresponding numbers of two detections.
fn difference(a: &Detection, b: &Detection) -> f32 {
    let numbers = |face: &Detection| {
        let bounds: [f32; 4] = face.bounds.into();
        let mut numbers = bounds.to_vec();
        numbers.extend(face.keypoints.iter().flatten());
        numbers.extend(face.scores.0);
        numbers.extend([face.score, face.quality]);
        numbers
    };
    numbers(a).iter().zip(numbers(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn an_astronauts_smile_is_happiness_wherever_it_is_looked_for() {
    let astronaut = FaceBox { left: 0.34, top: 0.13, width: 0.2, height: 0.2 };
    // The whole portrait is not a face crop, so it is left out here.
    let looked_for = |case: &&Case| case.name.starts_with("astronaut") && !case.name.ends_with("crop");
    for case in cases().iter().filter(looked_for) {
        let [face] = &case.faces[..] else { panic!("{}: one face, not {:?}", case.name, case.faces) };
        assert_eq!(face.expression, Some(Expression::Happiness), "{}", case.name);
        if matches!(&*case.name, "astronaut near" | "astronaut full") {
            assert!(face.bounds.iou(&astronaut) > 0.5, "{}: {:?}", case.name, face.bounds);
        }
    }
}

#[test]
fn every_detection_is_valid() {
    for face in cases().into_iter().flat_map(|case| case.faces) {
        assert!((face.scores.0.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!((0.0..=1.0).contains(&face.quality) && (0.0..=1.0).contains(&face.score));
    }
}

#[test]
fn odd_frames_get_an_answer() {
    let mut analyzer = Analyzer::new(&WEIGHTS).expect("the weights");
    for (width, height) in [(1, 1), (3, 2_000), (2_000, 3), (640, 480)] {
        let rgba = vec![127; width as usize * height as usize * 4];
        let picture = Picture { width, height, rgba };
        let seen = analyzer.analyze(&picture.frame(), Scope::Full, usize::MAX).expect("an answer");
        assert!(seen.faces.is_empty(), "nobody is in a grey {width}×{height} frame");
        analyzer.analyze_crop(&picture.frame()).expect("an answer");
    }
}

/// Without its chin, a serious portrait was read as fear, at .93 and with a quality of 1.
#[test]
fn a_face_that_the_frame_cuts_loses_quality_and_gets_no_label() {
    let mut analyzer = Analyzer::new(&WEIGHTS).expect("the weights");
    for file in [ASTRONAUT, GRACE_HOPPER] {
        let whole = Picture::read(file);
        let seen = |analyzer: &mut Analyzer, picture: &Picture| {
            analyzer.analyze(&picture.frame(), Scope::Full, 1).expect("an answer").faces.into_iter().next()
        };
        let face = seen(&mut analyzer, &whole).expect("a face");
        assert!(!face.doubts.contains(&Doubt::Cut) && face.quality > 0.3, "{face:?}");
        let [left, top, width, height] = <[f32; 4]>::from(face.bounds).map(|share| share * 256.0);
        for cut in [0.4, 0.45] {
            let (far_x, far_y) = (left + width * (1.0 - cut), top + height * (1.0 - cut));
            for (side, from, to) in [
                ("below", [0.0, 0.0], [256.0, far_y]),
                ("above", [0.0, top + height * cut], [256.0, 256.0]),
                ("left", [left + width * cut, 0.0], [256.0, 256.0]),
                ("right", [0.0, 0.0], [far_x, 256.0]),
            ] {
                let picture = whole.part(from.map(|at| at as u32), to.map(|at| at as u32));
                // In half a face the detectors may see nothing.
                let Some(part) = seen(&mut analyzer, &picture) else { continue };
                assert_eq!(part.expression, None, "{cut} cut off {side}: {part:?}");
                assert!(part.doubts.contains(&Doubt::Cut), "{cut} cut off {side}: {part:?}");
                assert!(part.quality < face.quality, "{cut} cut off {side}: {part:?}");
            }
        }
    }
}

#[test]
fn a_face_that_stands_on_its_head_is_read_upright() {
    let mut analyzer = Analyzer::new(&WEIGHTS).expect("the weights");
    for file in [ASTRONAUT, GRACE_HOPPER] {
        let overturned = Picture::read(file).turned().turned();
        for scope in [Scope::Near, Scope::Full] {
            let seen = analyzer.analyze(&overturned.frame(), scope, usize::MAX).expect("an answer");
            let [face] = &seen.faces[..] else { panic!("one face: {:?}", seen.faces) };
            let [right, left] = [face.keypoints[0], face.keypoints[1]];
            assert!(right[0] > left[0], "its right eye is on the right: {:?}", face.keypoints);
            if file == ASTRONAUT {
                assert_eq!(face.expression, Some(Expression::Happiness));
            }
            assert!(face.doubts.contains(&Doubt::Turned));
        }
    }
}

#[test]
fn what_is_found_beyond_the_number_asked_for_is_counted() {
    let mut analyzer = Analyzer::new(&WEIGHTS).expect("the weights");
    let (astronaut, grace) = (Picture::read(ASTRONAUT), Picture::read(GRACE_HOPPER));
    let both = astronaut.beside(&grace);
    let all = analyzer.analyze(&both.frame(), Scope::Full, 2).expect("an answer");
    assert_eq!((all.faces.len(), all.left_out), (2, 0));
    let one = analyzer.analyze(&both.frame(), Scope::Full, 1).expect("an answer");
    assert_eq!((&one.faces[..], one.left_out), (&all.faces[..1], 1), "the larger one");
    let none = analyzer.analyze(&both.frame(), Scope::Full, 0).expect("an answer");
    assert_eq!((none.faces.len(), none.left_out), (0, 2));
}

#[test]
fn without_the_far_detector_the_near_one_still_works() {
    let mut analyzer = Analyzer::new(&Weights { far: None, ..WEIGHTS }).expect("the weights");
    let grace = Picture::read(GRACE_HOPPER);
    let seen = analyzer.analyze(&grace.frame(), Scope::Full, usize::MAX).expect("an answer");
    assert_eq!((seen.faces.len(), seen.left_out), (1, 0));
    assert!(!analyzer.has_far());
    analyzer.add_far_verified(FAR).expect("the weights");
    assert!(analyzer.has_far());
}

#[test]
fn a_damaged_model_says_which_and_why() {
    let refused = |weights| Analyzer::new_verified(&weights).expect_err("damaged");
    let cut = refused(Weights { near: &NEAR[..1000], ..WEIGHTS });
    assert_eq!(
        cut,
        ModelError::Length { model: ModelId::Near, expected_bytes: NEAR.len() as u64, got_bytes: 1000 }
    );
    let mut flipped = EXPRESSION.to_vec();
    flipped[500_000] ^= 1;
    let flipped = refused(Weights { expression: &flipped, ..WEIGHTS });
    assert!(matches!(flipped, ModelError::Hash { model: ModelId::Expression, .. }), "{flipped}");
    assert!(flipped.to_string().contains("c2ea2fd8de50"), "{flipped}");

    // Even without the hash check nothing panics.
    let refused = |weights| Analyzer::new(&weights).expect_err("unusable");
    let page = refused(Weights { near: b"<!doctype html><title>Not found</title>", ..WEIGHTS });
    assert_eq!(page.model(), ModelId::Near);
    let empty = refused(Weights { expression: &[], ..WEIGHTS });
    assert_eq!(empty.model(), ModelId::Expression);
    let swapped = refused(Weights { far: Some(NEAR), ..WEIGHTS });
    assert!(matches!(swapped, ModelError::Shape { model: ModelId::Far, .. }), "{swapped}");
}
