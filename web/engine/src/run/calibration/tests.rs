use mien_models::{Doubt, Look};
use mien_shared::{FaceBox, Scores};
use proptest::prelude::*;

use super::*;

const FRAME: Duration = Duration::from_millis(50);

/// A face that looks at the camera, frontal and relaxed.
fn good(left: f32) -> Detection {
    let at = |x: f32, y: f32| [left + 0.2 * x, 0.3 + 0.3 * y];
    Detection {
        strongest: None,
        landmarks: None,
        bounds: FaceBox { left, top: 0.3, width: 0.2, height: 0.3 },
        keypoints: [at(0.3, 0.4), at(0.7, 0.4), at(0.5, 0.6), at(0.5, 0.8), at(0.0, 0.4), at(1.0, 0.4)],
        score: 0.9,
        scores: Scores([1.0 / 7.0; 7]),
        expression: None,
        quality: 0.9,
        doubts: Vec::new(),
        look: Some(Look { margin: -2.0, mouth: None }),
    }
}

fn doubtful(doubt: Doubt) -> Detection {
    Detection { doubts: vec![doubt], ..good(0.4) }
}

fn smiling(margin: f32, mouth: Option<f32>) -> Detection {
    Detection { look: Some(Look { margin, mouth }), ..good(0.4) }
}

/// Shows the faces of frame after frame until the end, a minute at most.
fn until_end(
    calibration: &mut Calibration,
    frame: Duration,
    mut shows: impl FnMut(u32) -> Vec<(u32, Detection)>,
) -> (CalibrationEnd, Duration, Vec<(u32, Neutral)>) {
    let mut all = Vec::new();
    for count in 0.. {
        let captured = frame * count;
        assert!(captured < Duration::from_mins(1), "it does not end");
        let faces = shows(count);
        let seen: Vec<_> = faces.iter().map(|(id, detection)| (*id, detection)).collect();
        let Step { taken, state } = calibration.frame(captured, &seen);
        all.extend(taken);
        if let CalibrationState::Ended(end) = state {
            return (end, captured, all);
        }
    }
    unreachable!()
}

#[track_caller]
fn assert_hindered(by: Obstacle, detection: &Detection) {
    let mut calibration = Calibration::default();
    let state = calibration.frame(Duration::ZERO, &[(1, detection)]).state;
    let progress = FaceProgress { face: 1, looks: 0, needed: 8, obstacle: Some(by) };
    assert_eq!(state, CalibrationState::Taking(vec![progress]));
    let (end, after, taken) = until_end(&mut Calibration::default(), FRAME, |_| vec![(1, detection.clone())]);
    assert_eq!((end, after), (CalibrationEnd::NotTaken(Some(by)), GIVE_UP));
    assert_eq!(taken, []);
}

#[test]
fn three_seconds_of_good_looks_are_a_neutral_face() {
    for (frame, looks, after) in [
        (Duration::from_millis(16), 189, Duration::from_millis(188 * 16)),
        (Duration::from_millis(50), 61, Duration::from_secs(3)),
        (Duration::from_millis(400), 9, Duration::from_millis(3_200)),
        // A slow machine: no look stands for more than half a second, and there are eight at least.
        (Duration::from_millis(1_300), 8, Duration::from_millis(7 * 1_300)),
    ] {
        let (end, ended, taken) = until_end(&mut Calibration::default(), frame, |_| vec![(7, good(0.4))]);
        assert_eq!(end, CalibrationEnd::Taken(vec![NeutralTaken { face: 7, looks }]), "{frame:?}");
        assert_eq!(ended, after, "{frame:?}");
        assert_eq!(taken.iter().map(|(id, own)| (*id, own.looks())).collect::<Vec<_>>(), [(7, looks)]);
    }
}

#[test]
fn what_is_wrong_with_a_look_is_said_and_the_look_does_not_count() {
    for (doubt, obstacle) in [
        (Doubt::TooSmall, Obstacle::TooSmall),
        (Doubt::Turned, Obstacle::Turned),
        (Doubt::Dark, Obstacle::Dark),
        (Doubt::Flat, Obstacle::Dark),
        (Doubt::Bright, Obstacle::Bright),
        (Doubt::Blurred, Obstacle::Moving),
        (Doubt::Cut, Obstacle::Cut),
    ] {
        assert_hindered(obstacle, &doubtful(doubt));
    }
    assert_hindered(Obstacle::Smiling, &smiling(0.6, None));
    assert_hindered(Obstacle::Smiling, &smiling(-2.0, Some(0.5)));
    assert_hindered(Obstacle::Unclear, &Detection { quality: 0.5, ..good(0.4) });
    assert_hindered(Obstacle::Unclear, &Detection { look: None, ..good(0.4) });
    let (end, ..) = until_end(&mut Calibration::default(), FRAME, |_| Vec::new());
    assert_eq!(end, CalibrationEnd::NotTaken(None));
}

#[test]
fn a_mouth_that_is_shaped_like_a_faint_smile_counts() {
    let (end, ..) = until_end(&mut Calibration::default(), FRAME, |_| vec![(1, smiling(0.4, Some(-0.5)))]);
    assert!(matches!(end, CalibrationEnd::Taken(_)), "{end:?}");
}

#[test]
fn a_face_that_moves_counts_again_once_it_holds_still() {
    let mut calibration = Calibration::default();
    let mut obstacle = |ms: u64, left: f32| {
        let state = calibration.frame(Duration::from_millis(ms), &[(1, &good(left))]).state;
        match state {
            CalibrationState::Taking(faces) => faces[0].obstacle,
            CalibrationState::Ended(end) => panic!("{end:?}"),
        }
    };
    assert_eq!(obstacle(0, 0.40), None);
    assert_eq!(obstacle(50, 0.41), None, "a detector's jitter");
    assert_eq!(obstacle(100, 0.43), Some(Obstacle::Moving));
    assert_eq!(obstacle(200, 0.43), Some(Obstacle::Moving));
    assert_eq!(obstacle(300, 0.43), None);
    for step in 1_u16..20 {
        let left = 0.43 + 0.02 * f32::from(step);
        assert_eq!(obstacle(300 + 50 * u64::from(step), left), Some(Obstacle::Moving), "{step}");
    }
}

#[test]
fn bad_looks_in_between_are_left_out_of_the_median() {
    let shows =
        |count: u32| vec![(1, if count.is_multiple_of(2) { good(0.4) } else { doubtful(Doubt::Turned) })];
    let (end, _, taken) = until_end(&mut Calibration::default(), FRAME, shows);
    assert_eq!(end, CalibrationEnd::Taken(vec![NeutralTaken { face: 1, looks: 61 }]));
    let look = Look { margin: -2.0, mouth: None };
    let mut expected = mien_models::NeutralLooks::default();
    (0..61).for_each(|_| expected.add(look));
    assert_eq!(taken, [(1, expected.neutral().unwrap())]);
}

#[test]
fn every_face_has_its_own_and_one_that_cannot_be_seen_well_does_not_hold_up_the_others_for_long() {
    let both = |_| vec![(3, good(0.1)), (5, good(0.6))];
    let (end, ..) = until_end(&mut Calibration::default(), FRAME, both);
    let taken = |face| NeutralTaken { face, looks: 61 };
    assert_eq!(end, CalibrationEnd::Taken(vec![taken(3), taken(5)]));

    let one = |_| vec![(3, doubtful(Doubt::TooSmall)), (5, good(0.6))];
    let (end, after, _) = until_end(&mut Calibration::default(), FRAME, one);
    assert_eq!((end, after), (CalibrationEnd::Taken(vec![taken(5)]), Duration::from_secs(3) + OTHERS));
}

#[test]
fn another_person_begins_anew() {
    let (end, after, _) = until_end(&mut Calibration::default(), FRAME, |count| {
        // The first leaves after two seconds.
        vec![if count < 40 { (1, good(0.1)) } else { (2, good(0.6)) }]
    });
    assert_eq!(end, CalibrationEnd::Taken(vec![NeutralTaken { face: 2, looks: 61 }]));
    assert_eq!(after, Duration::from_secs(5));
}

fn any_look() -> impl Strategy<Value = Detection> {
    (0.0_f32..0.8, -4.0_f32..4.0, 0.0_f32..1.0, 0_usize..12).prop_map(|(left, margin, quality, doubt)| {
        let doubts = [Doubt::TooSmall, Doubt::Turned, Doubt::Dark, Doubt::Cut].get(doubt).copied();
        Detection {
            quality,
            doubts: doubts.into_iter().collect(),
            look: Some(Look { margin, mouth: None }),
            ..good(left)
        }
    })
}

proptest! {
    /// Whatever the frames show: it ends, the same way every time, no look but a fit one counts, what is needed is never
    /// less than what there is, and an identity is taken once.
    #[test]
    fn it_ends_and_counts_only_what_is_fit(
        frames in prop::collection::vec(
            (0_u64..900, prop::collection::btree_map(1_u32..5, any_look(), 0..4)), 1..60),
    ) {
        let (mut calibration, mut again) = (Calibration::default(), Calibration::default());
        let mut at = Duration::ZERO;
        let mut fit = std::collections::BTreeMap::<u32, u32>::new();
        let mut taken = std::collections::BTreeSet::new();
        let mut ended = false;
        for (elapsed_ms, faces) in frames.iter().cycle().take(1_000) {
            at += Duration::from_millis(*elapsed_ms + 1);
            let seen: Vec<_> = faces.iter().map(|(id, detection)| (*id, detection)).collect();
            for (id, detection) in &seen {
                *fit.entry(*id).or_default() += u32::from(detection.is_fit_for_neutral());
            }
            let step = calibration.frame(at, &seen);
            prop_assert_eq!(&step.state, &again.frame(at, &seen).state);
            for (id, neutral) in step.taken {
                prop_assert!(neutral.looks() <= fit[&id]);
                taken.insert(id);
            }
            match step.state {
                CalibrationState::Taking(faces) => {
                    prop_assert!(faces.iter().all(|face| face.looks <= face.needed));
                    prop_assert!(faces.windows(2).all(|pair| pair[0].face < pair[1].face));
                }
                CalibrationState::Ended(CalibrationEnd::Taken(faces)) => {
                    prop_assert!(faces.iter().all(|face| taken.contains(&face.face)));
                    ended = true;
                }
                CalibrationState::Ended(_) => ended = true,
            }
            if ended {
                break;
            }
        }
        // Of 900 ms, 500 count.
        prop_assert!(ended || at < GIVE_UP * 2);
    }
}
