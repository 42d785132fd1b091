use super::*;
use crate::expression::{Expression, Scores};

fn face() -> Face {
    Face {
        quality: Some(0.93),
        ..Face::new(
            1,
            [0.31, 0.22, 0.18, 0.24].into(),
            Some(Expression::Happiness),
            Scores([0.05, 0.91, 0.01, 0.01, 0.01, 0.0, 0.01]),
        )
    }
}

fn check(change: impl FnOnce(&mut Sample), expected: Result<(), SampleFault>) {
    let mut sample = Sample::new(1, 1_763_907_600_123, vec![face()]);
    change(&mut sample);
    assert_eq!(sample.validate(), expected);
}

#[test]
fn the_contracts_example_reads_and_writes_back_the_same() {
    let text = r#"{"seq":1,"at":1763907600123,"faces":[{"id":1,"box":[0.31,0.22,0.18,0.24],"expression":"happiness","scores":[0.05,0.91,0.01,0.01,0.01,0.0,0.01],"quality":0.93}]}"#;
    let sample: Sample = serde_json::from_str(text).unwrap();
    assert_eq!(sample.validate(), Ok(()));
    assert_eq!(serde_json::to_string(&sample).unwrap(), text);
}

#[test]
fn each_rule_has_its_fault() {
    check(|_| {}, Ok(()));
    check(|s| s.faces.clear(), Ok(()));
    check(|s| s.seq = 0, Err(SampleFault::Seq));
    check(|s| s.seq = MAX_SAFE_INTEGER + 1, Err(SampleFault::Seq));
    check(|s| s.at = MAX_SAFE_INTEGER + 1, Err(SampleFault::At));
    check(|s| s.faces = vec![face(); 33], Err(SampleFault::TooManyFaces));
    check(|s| s.faces[0].bounds.left = f32::NAN, Err(SampleFault::Box { face: 0, place: 0 }));
    check(|s| s.faces[0].bounds.top = 2.5, Err(SampleFault::Box { face: 0, place: 1 }));
    check(|s| s.faces[0].bounds.width = 0.0, Err(SampleFault::EmptyBox { face: 0 }));
    check(|s| s.faces[0].scores.0[3] = f32::INFINITY, Err(SampleFault::Score { face: 0, place: 3 }));
    check(|s| s.faces[0].scores.0[1] = 0.5, Err(SampleFault::ScoreSum { face: 0 }));
    check(|s| s.faces[0].quality = Some(1.5), Err(SampleFault::Quality { face: 0 }));
    check(|s| s.faces[0].quality = None, Ok(()));
    check(|s| s.faces[0].valence = Some(-1.0), Ok(()));
    check(|s| s.faces[0].valence = Some(-1.01), Err(SampleFault::Valence { face: 0 }));
    check(|s| s.faces[0].valence = Some(f32::NAN), Err(SampleFault::Valence { face: 0 }));
    check(|s| s.faces[0].neutral = Some(1), Ok(()));
    check(|s| s.faces[0].neutral = Some(0), Err(SampleFault::Neutral { face: 0 }));
}

#[test]
fn each_rule_of_landmarks_has_its_fault() {
    let check = |landmarks: FaceLandmarks, expected: Result<(), &str>| {
        let mut sample = Sample::new(1, 1, vec![face(), face()]);
        sample.faces[1].landmarks = Some(Box::new(landmarks));
        assert_eq!(sample.validate().map_err(|fault| fault.to_string()), expected.map_err(str::to_owned));
    };
    let none = FaceLandmarks::default;
    check(none(), Ok(()));
    check(FaceLandmarks { yaw: Some(-180.0), gaze: Some([90.0, -90.0]), ..none() }, Ok(()));
    let turned = FaceLandmarks { pitch: Some(180.5), ..none() };
    check(turned, Err("faces[1].landmarks.pitch is not a number in −180 … 180"));
    let blinks = FaceLandmarks { blink_right: Some(f32::INFINITY), ..none() };
    check(blinks, Err("faces[1].landmarks.blink_right is not a number in 0 … 1"));
    let looks = FaceLandmarks { gaze: Some([0.0, 91.0]), ..none() };
    check(looks, Err("faces[1].landmarks.gaze[1] is not a number in −90 … 90"));
    let coefficients = serde_json::from_str(r#"{"jawOpen":0.5,"mouthLeft":1.5}"#).unwrap();
    let moves = FaceLandmarks { coefficients, ..none() };
    check(moves, Err("faces[1].landmarks.coefficients.mouthLeft is not a number in 0 … 1"));
}

#[test]
fn what_is_optional_reads_and_writes_back_the_same() {
    let text = r#"{"id":1,"box":[0.0,0.0,1.0,1.0],"expression":null,"scores":[1.0,0.0,0.0,0.0,0.0,0.0,0.0],"quality":0.5,"valence":-0.25,"neutral":12,"why":["turned","small"],"landmarks":{"yaw":-12.5,"pitch":3.25,"roll":0.0,"blink_left":0.1,"blink_right":1.0,"gaze":[-4.5,8.0],"coefficients":{"_neutral":0.0,"jawOpen":0.125,"noseSneerRight":1.0}}}"#;
    let face: Face = serde_json::from_str(text).unwrap();
    assert_eq!(face.why, [QualityReason::Turned, QualityReason::Small]);
    assert_eq!(face.landmarks.as_ref().unwrap().coefficients.get("jawOpen"), Some(0.125));
    assert_eq!(serde_json::to_string(&face).unwrap(), text);
    for reason in QualityReason::ALL {
        assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{}\"", reason.name()));
    }
}

/// From a client that is newer than this reader, or that measures less.
#[test]
fn what_is_unknown_or_null_in_a_face_is_left_out() {
    let read = |optional: &str| -> Face {
        let face = r#"{"id":1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0,0],"#;
        serde_json::from_str(&format!("{face}{optional}}}")).unwrap()
    };
    let plain = Face::new(1, [0.0, 0.0, 1.0, 1.0].into(), None, Scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
    assert_eq!(read(r#""valence":null,"neutral":null,"why":null,"landmarks":null"#), plain);
    let why = read(r#""why":["masked","dark","cut","dark"]"#).why;
    assert_eq!(why, [QualityReason::Dark, QualityReason::Cut]);
    let landmarks =
        read(r#""landmarks":{"yaw":3,"depth":[1],"roll":null,"coefficients":{"tongueOut":7}}"#).landmarks;
    assert_eq!(landmarks, Some(Box::new(FaceLandmarks { yaw: Some(3.0), ..FaceLandmarks::default() })));
    assert_eq!(read(r#""neutral":4.0"#).neutral, Some(4));
}

#[test]
fn what_is_optional_is_of_its_type() {
    for bad in [
        r#""valence":"1""#,
        r#""neutral":-1"#,
        r#""neutral":1.5"#,
        r#""why":"dark""#,
        r#""why":[5]"#,
        r#""why":[{"dark":null}]"#,
        r#""landmarks":[]"#,
        r#""landmarks":[1,2,3]"#,
        r#""landmarks":{"gaze":[1]}"#,
        r#""landmarks":{"gaze":[1,2,3]}"#,
        r#""landmarks":{"coefficients":[1]}"#,
        r#""landmarks":{"coefficients":{"jawOpen":true}}"#,
    ] {
        let text = format!(r#"{{"id":1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0,0],{bad}}}"#);
        assert!(serde_json::from_str::<Face>(&text).is_err(), "{bad}");
    }
}

#[test]
fn what_was_skipped_is_named_once_and_only_a_clock_goes_back() {
    let skipped = |list: &[(SkipReason, i64)]| {
        let list = list.iter().map(|&(reason, ms)| Skipped { reason, ms }).collect();
        Sample { skipped: list, media_ms: Some(7), ..Sample::new(1, 1, Vec::new()) }
    };
    let good = skipped(&[(SkipReason::Hidden, 12_000), (SkipReason::ClockStep, -120_000)]);
    assert_eq!(good.validate(), Ok(()));
    let text = r#"{"seq":1,"at":1,"media_ms":7,"skipped":[{"reason":"hidden","ms":12000},{"reason":"clock_step","ms":-120000}],"faces":[]}"#;
    assert_eq!(serde_json::to_string(&good).unwrap(), text);
    assert_eq!(serde_json::from_str::<Sample>(text).unwrap(), good);
    let check = |list: &[(SkipReason, i64)], fault| assert_eq!(skipped(list).validate(), Err(fault));
    check(&[(SkipReason::Paused, 1), (SkipReason::Paused, 2)], SampleFault::SkippedTwice);
    check(&[(SkipReason::Paused, -1)], SampleFault::SkippedMs { place: 0 });
    check(&[(SkipReason::Full, 1), (SkipReason::Paused, 0)], SampleFault::SkippedMs { place: 1 });
    check(&[(SkipReason::ClockStep, i64::MIN)], SampleFault::SkippedMs { place: 0 });
    for reason in SkipReason::ALL {
        assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{}\"", reason.name()));
    }
    check(&[(SkipReason::Other, 1); MAX_SKIPPED + 1], SampleFault::TooManySkipped);
}

/// From a client that is newer than this reader.
#[test]
fn what_is_not_known_here_is_taken() {
    let text = r#"{"seq":1,"at":1,"media_ms":null,"skipped":null,"faces":[]}"#;
    assert_eq!(serde_json::from_str::<Sample>(text).unwrap(), Sample::new(1, 1, Vec::new()));
    let text = r#"{"seq":1,"at":1,"weather":{"sky":[]},"skipped":[
        {"reason":"lens_cap","ms":-5,"since":7},{"reason":"moved","ms":0},{"reason":"full","ms":3}],
        "faces":[{"id":1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0,0],
        "valence":-0.5,"why":["dark"],"landmarks":{"yaw":3}}]}"#;
    let sample: Sample = serde_json::from_str(text).unwrap();
    assert_eq!(sample.validate(), Ok(()));
    let expected = [(SkipReason::Other, -5), (SkipReason::Other, 0), (SkipReason::Full, 3)];
    assert_eq!(sample.skipped, expected.map(|(reason, ms)| Skipped { reason, ms }));
}

#[test]
fn an_absent_expression_is_not_an_abstention() {
    let absent = r#"{"id":1,"box":[0,0,1,1],"scores":[1,0,0,0,0,0,0]}"#;
    assert!(serde_json::from_str::<Face>(absent).is_err());
    let null = r#"{"id":1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0,0]}"#;
    assert_eq!(serde_json::from_str::<Face>(null).unwrap().expression, None);
}

#[test]
fn iou_of_halves() {
    let whole = FaceBox::from([0.0, 0.0, 1.0, 1.0]);
    assert!((whole.iou(&[0.5, 0.0, 1.0, 1.0].into()) - 1.0 / 3.0).abs() < 1e-6);
    assert_eq!(whole.iou(&[2.0, 0.0, 1.0, 1.0].into()), 0.0);
}
