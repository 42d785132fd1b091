//! What the landmark networks say of the fixtures, natively and in a browser's worker.

mod common;

use common::{ASTRONAUT, GRACE_HOPPER, Picture, WEIGHTS};
use mien_models::image::{Outside, Square};
use mien_models::{Analyzer, Detection, LandmarkWeights, Landmarks, Scope};
use mien_shared::FaceLandmarks;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

const LANDMARKS: LandmarkWeights<'static> = LandmarkWeights {
    landmarks: include_bytes!("../weights/mediapipe_face_landmarks_256.onnx"),
    blendshapes: include_bytes!("../weights/mediapipe_face_blendshapes.onnx"),
};

fn analyzer(landmarks: Landmarks) -> Analyzer {
    let mut analyzer = Analyzer::new_verified(&WEIGHTS).expect("the weights");
    analyzer.add_landmarks_verified(&LANDMARKS).expect("the weights");
    analyzer.look_at_landmarks_of(landmarks);
    analyzer
}

fn face(analyzer: &mut Analyzer, picture: &Picture) -> Detection {
    let seen = analyzer.analyze(&picture.frame(), Scope::Full, 1).expect("an answer");
    seen.faces.into_iter().next().expect("a face")
}

fn measured(analyzer: &mut Analyzer, picture: &Picture) -> FaceLandmarks {
    face(analyzer, picture).landmarks.expect("landmarks").measured
}

/// Yaw, pitch and roll.
fn pose(of: &FaceLandmarks) -> [f32; 3] {
    [of.yaw, of.pitch, of.roll].map(|degrees| degrees.expect("an angle"))
}

/// The picture as `square` shows it: turned against the clock by its angle, or mirrored.
fn redrawn(picture: &Picture, degrees: f32, mirrored: bool) -> Picture {
    let side = picture.width.max(picture.height);
    let mut planes = Vec::new();
    let square = Square {
        centre: [picture.width as f32 / 2.0, picture.height as f32 / 2.0],
        side: side as f32,
        angle: -degrees.to_radians(),
        mirrored,
        outside: Outside::Edge,
    };
    square.draw(&picture.frame(), side as usize, &mut planes);
    let plane = planes.len() / 3;
    let rgba = (0..plane)
        .flat_map(|at| [planes[at], planes[plane + at], planes[2 * plane + at], 255.0])
        .map(|value| value.round() as u8)
        .collect();
    Picture { width: side, height: side, rgba }
}

/// Two portraits, towards the camera and with open eyes.
#[test]
fn a_portrait_is_measured_whole() {
    let mut analyzer = analyzer(Landmarks::All);
    for file in [ASTRONAUT, GRACE_HOPPER] {
        let found = measured(&mut analyzer, &Picture::read(file));
        assert!(pose(&found).iter().all(|degrees| degrees.abs() < 40.0), "{found:?}");
        assert_eq!(found.coefficients.named().count(), 52);
        for blink in [found.blink_left, found.blink_right] {
            assert!(blink.is_some_and(|blink| blink < 0.5), "{found:?}");
        }
        assert!(found.gaze.is_some_and(|gaze| gaze.iter().all(|degrees| degrees.abs() < 30.0)), "{found:?}");
    }
}

#[test]
fn a_picture_that_is_turned_changes_the_roll_alone() {
    let mut analyzer = analyzer(Landmarks::All);
    for file in [ASTRONAUT, GRACE_HOPPER] {
        let picture = Picture::read(file);
        let [yaw, pitch, roll] = pose(&measured(&mut analyzer, &picture));
        for degrees in [-30.0, -12.0, 12.0, 30.0] {
            let turned = pose(&measured(&mut analyzer, &redrawn(&picture, degrees, false)));
            let off = [turned[0] - yaw, turned[1] - pitch, turned[2] - roll - degrees];
            assert!(off.iter().all(|off| off.abs() < 4.0), "{degrees}: {off:?}");
        }
    }
}

#[test]
fn a_mirrored_picture_swaps_left_and_right() {
    let mut analyzer = analyzer(Landmarks::All);
    for file in [ASTRONAUT, GRACE_HOPPER] {
        let picture = Picture::read(file);
        let (plain, mirrored) =
            (measured(&mut analyzer, &picture), measured(&mut analyzer, &redrawn(&picture, 0.0, true)));
        let ([yaw, pitch, roll], other) = (pose(&plain), pose(&mirrored));
        let off = [other[0] + yaw, other[1] - pitch, other[2] + roll];
        assert!(off.iter().all(|off| off.abs() < 4.0), "{off:?}");
        let (Some([right, up]), Some(other)) = (plain.gaze, mirrored.gaze) else { panic!("no gaze") };
        assert!((other[0] + right).abs() < 6.0 && (other[1] - up).abs() < 6.0, "{right} {up} {other:?}");
        for [left, right] in [["mouthSmileLeft", "mouthSmileRight"], ["eyeBlinkLeft", "eyeBlinkRight"]] {
            let of = |landmarks: &FaceLandmarks, name| landmarks.coefficients.get(name).expect(name);
            assert!((of(&plain, left) - of(&mirrored, right)).abs() < 0.2, "{left}");
            assert!((of(&plain, right) - of(&mirrored, left)).abs() < 0.2, "{right}");
        }
    }
}

/// Otherwise every second or third frame of a camera would show other scores.
#[test]
fn looking_at_every_face_changes_no_score() {
    let (mut all, mut in_doubt) = (analyzer(Landmarks::All), analyzer(Landmarks::InDoubt));
    for file in [ASTRONAUT, GRACE_HOPPER] {
        let picture = Picture::read(file);
        assert_eq!(face(&mut all, &picture).scores, face(&mut in_doubt, &picture).scores);
    }
}

#[test]
fn nothing_is_measured_before_the_networks_are_there_and_after_they_are_gone() {
    let picture = Picture::read(GRACE_HOPPER);
    let mut analyzer = Analyzer::new(&WEIGHTS).expect("the weights");
    analyzer.look_at_landmarks_of(Landmarks::All);
    assert_eq!(face(&mut analyzer, &picture).landmarks, None);
    analyzer.add_landmarks(&LANDMARKS).expect("the weights");
    assert!(face(&mut analyzer, &picture).landmarks.is_some());
    analyzer.remove_landmarks();
    assert!(!analyzer.has_landmarks());
    assert_eq!(face(&mut analyzer, &picture).landmarks, None);
}

/// The outline lies on the face: its eyes are where the detector has them.
#[test]
fn the_outline_lies_on_the_face() {
    let mut analyzer = analyzer(Landmarks::All);
    for degrees in [0.0, 25.0] {
        let found = face(&mut analyzer, &redrawn(&Picture::read(GRACE_HOPPER), degrees, false));
        let outline = &found.landmarks.expect("landmarks").outline;
        let strokes: Vec<_> = outline.strokes().collect();
        assert_eq!(strokes.len(), 9);
        for (eye, keypoint) in [(1, 0), (2, 1)] {
            let (points, closed) = strokes[eye];
            let middle =
                [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f32>() / points.len() as f32);
            let [x, y] = found.keypoints[keypoint];
            assert!(closed && (middle[0] - x).hypot(middle[1] - y) < 0.1 * found.bounds.width, "{middle:?}");
        }
    }
}
