use super::*;
use crate::expression::{Look, NeutralLooks, softmax};
use crate::landmarks::Landmarked;
use crate::pace::LOST_AFTER_INTERVALS;
use crate::quality::Doubt;
use crate::track::logarithms;
use mien_shared::{Expression, FaceLandmarks, QualityReason, Sample, Scores};
use proptest::prelude::*;

fn scores(top: usize, share: f32) -> Scores {
    let mut scores = [(1.0 - share) / 6.0; 7];
    scores[top] = share;
    Scores(scores)
}

fn at(left: f32, top: f32) -> Detection {
    Detection {
        bounds: FaceBox { left, top, width: 0.2, height: 0.25 },
        strongest: None,
        keypoints: [[left, top]; 6],
        score: 0.9,
        scores: scores(1, 0.9),
        expression: Some(Expression::Happiness),
        quality: 0.8,
        doubts: Vec::new(),
        look: None,
        landmarks: None,
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn ids(faces: &[Face]) -> Vec<u32> {
    faces.iter().map(|face| face.id).collect()
}

#[test]
fn a_moving_face_keeps_its_identity_and_others_their_order() {
    let mut tracker = Tracker::new();
    assert_eq!(ids(&tracker.update(ms(0), &[at(0.1, 0.3), at(0.6, 0.3)])), [1, 2]);
    for step in 1_u16..10 {
        let moved = 0.02 * f32::from(step);
        // The detector lists them in a different order every time.
        let faces = tracker.update(ms(u64::from(step) * 33), &[at(0.6, 0.3 - moved), at(0.1 + moved, 0.3)]);
        assert_eq!(ids(&faces), [1, 2]);
        assert!((faces[0].bounds.left - 0.1 - moved).abs() < 0.03);
    }
}

#[test]
fn a_short_absence_keeps_the_identity_and_a_long_one_ends_it() {
    let mut tracker = Tracker::new();
    tracker.update(ms(0), &[at(0.1, 0.1)]);
    assert!(tracker.update(ms(500), &[]).is_empty(), "a face out of view is not claimed");
    assert_eq!(ids(&tracker.update(ms(900), &[at(0.1, 0.1)])), [1]);
    assert_eq!(ids(&tracker.update(ms(901) + LOST_AFTER, &[at(0.1, 0.1)])), [2]);
    assert_eq!(tracker.next_id(), 3);
}

#[test]
fn a_reload_goes_on_counting() {
    let mut tracker = Tracker::resume(41);
    assert_eq!(ids(&tracker.update(ms(0), &[at(0.1, 0.1)])), [41]);
    assert_eq!(Tracker::resume(0).next_id(), 1);
}

#[test]
fn a_face_elsewhere_is_another_face() {
    let mut tracker = Tracker::new();
    tracker.update(ms(0), &[at(0.0, 0.0)]);
    assert_eq!(ids(&tracker.update(ms(33), &[at(0.7, 0.7)])), [2]);
}

#[test]
fn scores_follow_a_small_change_with_the_documented_time_constant() {
    let mut tracker = Tracker::new();
    let mut face = at(0.1, 0.1);
    face.scores = scores(1, 0.6);
    tracker.update(ms(0), std::slice::from_ref(&face));
    let before = logarithms(&face.scores);
    // Small enough to be no change that is shown at once.
    face.scores = scores(1, 0.48);
    let after = logarithms(&face.scores);
    let constant = SCORE_TIME_CONSTANT;
    // The same time gives the same answer, whether in steps or all at once.
    let mut stepwise = tracker.clone();
    stepwise.update(constant / 3, std::slice::from_ref(&face));
    stepwise.update(constant * 2 / 3, std::slice::from_ref(&face));
    let stepped = stepwise.update(constant, std::slice::from_ref(&face)).remove(0);
    let whole = tracker.update(constant, std::slice::from_ref(&face)).remove(0);
    let share = 1.0 - (-1.0_f32).exp();
    let expected = softmax(std::array::from_fn(|i| before[i] + share * (after[i] - before[i])));
    for ((a, b), c) in whole.scores.0.iter().zip(stepped.scores.0).zip(expected.0) {
        assert!((a - b).abs() < 1e-4 && (a - c).abs() < 1e-4);
    }
    assert_eq!(whole.expression, Some(Expression::Happiness));
}

#[test]
fn between_two_expressions_it_abstains() {
    let mut tracker = Tracker::new();
    let mut face = at(0.1, 0.1);
    face.scores = scores(1, 0.55);
    assert_eq!(tracker.update(ms(0), &[face.clone()])[0].expression, Some(Expression::Happiness));
    face.scores = scores(3, 0.55);
    assert_eq!(tracker.update(ms(200), &[face])[0].expression, None);
}

#[test]
fn a_time_that_goes_back_changes_nothing_but_the_box() {
    let mut tracker = Tracker::new();
    let first = tracker.update(ms(1_000), &[at(0.1, 0.1)]).remove(0);
    let mut face = at(0.1, 0.1);
    face.scores = scores(3, 0.9);
    let second = tracker.update(ms(10), &[face]).remove(0);
    assert_eq!((first.id, first.scores), (second.id, second.scores));
}

#[test]
fn after_a_step_back_it_follows_at_once() {
    let mut tracker = Tracker::new();
    let mut face = at(0.1, 0.1);
    for frame in 0..30 {
        tracker.update(ms(600_000 + frame * 100), &[face.clone()]);
    }
    face.scores = scores(3, 0.9);
    let shown: Vec<_> =
        (0..10).map(|frame| tracker.update(ms(frame * 100), &[face.clone()]).remove(0)).collect();
    assert!(shown.iter().all(|face| face.id == 1));
    assert_eq!(shown[9].expression, Some(Expression::ALL[3]));
    // And whoever leaves is forgotten by the new time.
    tracker.update(ms(1_000), &[]);
    assert_eq!(ids(&tracker.update(ms(1_000) + LOST_AFTER, &[face])), [2]);
}

#[test]
fn at_any_rate_a_still_face_is_one_face_and_one_that_was_gone_is_another() {
    for interval in [5, 33, 400, 1_300, 4_000, 60_000] {
        let mut tracker = Tracker::new();
        // A first interval without end is no rate yet.
        let first = if interval > 5_000 { 2 } else { 1 };
        let at_frame = |frame: u64| ms(frame * interval);
        tracker.update(at_frame(0), &[at(0.1, 0.1)]);
        for frame in 1..20 {
            // One detection is dropped.
            let seen = if frame == 10 { vec![] } else { vec![at(0.1, 0.1)] };
            let shown = ids(&tracker.update(at_frame(frame), &seen));
            assert!(shown.iter().all(|id| *id == first), "every {interval} ms, frame {frame}: {shown:?}");
        }
        let gone = LOST_AFTER.max(ms(interval * 3)) + ms(1);
        assert_eq!(ids(&tracker.update(at_frame(19) + gone, &[at(0.1, 0.1)])), [first + 1]);
    }
}

#[test]
fn a_pause_is_no_low_rate() {
    let mut tracker = Tracker::new();
    let mut now = ms(0);
    for pause in [33, 33, 33, 60_000, 33, 60_000, 33, 33, 60_000] {
        now += ms(pause);
        let expected = tracker.next_id() - u32::from(pause == 33 && tracker.next_id() > 1);
        assert_eq!(ids(&tracker.update(now, &[at(0.1, 0.1)])), [expected]);
    }
}

#[test]
fn what_one_frame_alone_says_stays_available() {
    let mut tracker = Tracker::new();
    let (mut face, other) = (at(0.1, 0.1), at(0.6, 0.1));
    tracker.update(ms(0), &[face.clone(), other]);
    face.scores = scores(3, 0.9);
    face.score = 0.7;
    let shown = tracker.update(ms(0), &[face.clone()]).remove(0);
    assert_ne!(shown.scores, face.scores);
    assert_eq!(tracker.raw(), [RawFace { id: 1, score: 0.7, scores: face.scores }]);
}

#[test]
fn a_face_says_why_its_quality_is_low_as_far_as_the_contract_has_names() {
    let mut tracker = Tracker::new();
    let mut face = at(0.1, 0.1);
    face.doubts = vec![Doubt::TooSmall, Doubt::Bright, Doubt::Blurred];
    let shown = tracker.update(ms(0), &[face]).remove(0);
    assert_eq!(shown.why, [QualityReason::Small, QualityReason::Blurred]);
    assert_eq!(shown.valence, Some(shown.scores.valence()));
    assert!(tracker.update(ms(33), &[at(0.1, 0.1)])[0].why.is_empty());
}

#[test]
fn faces_are_expected_where_they_were_for_a_moment() {
    let mut tracker = Tracker::new();
    let mut small = at(0.7, 0.7);
    small.bounds.width = 0.1;
    tracker.update(ms(0), &[small, at(0.1, 0.1)]);
    let lefts =
        |tracker: &Tracker| tracker.expected().iter().map(|face| face.bounds.left).collect::<Vec<_>>();
    assert_eq!(lefts(&tracker), [0.1, 0.7], "the largest first");
    tracker.update(ms(200), &[at(0.1, 0.1)]);
    assert_eq!(lefts(&tracker).len(), 2);
    tracker.update(ms(400), &[at(0.1, 0.1)]);
    assert_eq!(lefts(&tracker).len(), 1);
    let many: Vec<_> = (0..30_u8).map(|place| at(f32::from(place) * 0.1 - 1.0, 0.1)).collect();
    tracker.update(ms(500), &many);
    assert_eq!(tracker.expected().len(), MAX_EXPECTED);
}

#[test]
fn a_box_hardly_follows_jitter_and_does_not_trail() {
    let mut tracker = Tracker::new();
    let mut shown = Vec::new();
    for frame in 0..90_u64 {
        let jitter = if frame % 2 == 0 { 0.004 } else { -0.004 };
        let moved = if frame < 60 { 0.0 } else { 0.3 };
        shown.push(tracker.update(ms(frame * 33), &[at(0.1 + moved + jitter, 0.1)])[0].bounds.left);
    }
    let [least, most] =
        [f32::min, f32::max].map(|most| shown[20..60].iter().copied().reduce(most).unwrap_or_default());
    assert!(most - least < 0.3 * 0.008, "{least} … {most}");
}

#[test]
fn what_is_no_face_is_left_out() {
    let mut tracker = Tracker::new();
    let (mut flat, mut infinite, mut blank) = (at(0.1, 0.1), at(0.1, 0.1), at(0.1, 0.1));
    flat.bounds.width = 0.0;
    infinite.bounds.left = f32::INFINITY;
    blank.scores = Scores([f32::NAN; 7]);
    assert!(tracker.update(ms(0), &[flat, infinite, blank]).is_empty());
}

fn neutral(margins: &[f32]) -> Neutral {
    let mut looks = NeutralLooks::default();
    for &margin in margins {
        looks.add(Look { margin, mouth: None });
    }
    looks.neutral().unwrap()
}

#[test]
fn a_face_is_compared_with_its_own_neutral_one_and_with_no_other() {
    let seen = |left: f32| Detection { look: Some(Look { margin: 0.5, mouth: None }), ..at(left, 0.3) };
    let (mut tracker, mut plain) = (Tracker::new(), Tracker::new());
    let both = [seen(0.1), seen(0.6)];
    assert!(tracker.update(ms(0), &both).iter().all(|face| face.neutral.is_none()));
    plain.update(ms(0), &both);
    // A mouth that is always shaped like this: what looked like a smile is this person's neutral face.
    tracker.set_neutral(1, Some(neutral(&[0.4, 0.5, 0.6])));
    tracker.set_neutral(9, Some(neutral(&[0.5])));
    let mut told = Vec::new();
    let mut faces = Vec::new();
    for step in 1..40 {
        told.clear();
        faces = tracker.update_and_tell(ms(step * 100), &both, &mut |id, detection| {
            told.push((id, detection.bounds.left));
        });
        plain.update(ms(step * 100), &both);
    }
    assert_eq!(told, [(1, 0.1), (2, 0.6)]);
    assert_eq!([faces[0].neutral, faces[1].neutral], [Some(3), None]);
    assert_eq!(
        [faces[0].expression, faces[1].expression],
        [Some(Expression::Neutral), Some(Expression::Happiness)]
    );
    let expected = neutral(&[0.5]).applied(&both[0].scores, &Look { margin: 0.5, mouth: None });
    for (score, expected) in faces[0].scores.0.iter().zip(expected.0) {
        assert!((score - expected).abs() < 1e-3, "{:?}", faces[0].scores);
    }
    assert_eq!(faces[1], plain.update(ms(4_000), &both)[1], "nothing else changes");

    // The answer of a worker from before there were looks cannot be compared.
    assert_eq!(tracker.update(ms(4_000), &[at(0.1, 0.3)])[0].neutral, None);
    tracker.forget_neutrals();
    assert!(tracker.update(ms(4_100), &both).iter().all(|face| face.neutral.is_none()));
}

/// Landmarks are looked for in one frame of two or three.
#[test]
fn what_the_mouth_said_is_held_between_the_frames_that_look_at_it() {
    let look = |mouth| Look { margin: 0.5, mouth };
    let seen = |mouth| Detection { look: Some(look(mouth)), ..at(0.1, 0.3) };
    let mut looks = NeutralLooks::default();
    looks.add(look(Some(-3.0)));
    let mut tracker = Tracker::new();
    tracker.update(ms(0), &[seen(None)]);
    tracker.set_neutral(1, looks.neutral());
    let mut raw = |at, mouth| {
        tracker.update(ms(at), &[seen(mouth)]);
        tracker.raw()[0].scores.of(Expression::Happiness)
    };
    let smiling = raw(40, Some(3.0));
    assert!((raw(80, None) - smiling).abs() < 1e-6);
    assert!((raw(400, None) - smiling).abs() > 0.1, "not for ever");
}

#[test]
fn a_new_identity_has_no_neutral_face() {
    let face = Detection { look: Some(Look { margin: 0.5, mouth: None }), ..at(0.1, 0.1) };
    let mut tracker = Tracker::new();
    tracker.update(ms(0), std::slice::from_ref(&face));
    tracker.set_neutral(1, Some(neutral(&[0.5])));
    let back_soon = tracker.update(ms(800), std::slice::from_ref(&face)).remove(0);
    assert_eq!((back_soon.id, back_soon.neutral), (1, Some(1)));
    let slow = ms(800).mul_f32(LOST_AFTER_INTERVALS);
    let back_late = tracker.update(ms(801) + LOST_AFTER.max(slow), &[face]).remove(0);
    assert_eq!((back_late.id, back_late.neutral), (2, None));
}

fn any_detection() -> impl Strategy<Value = Detection> {
    (-3.0_f32..3.0, -3.0_f32..3.0, 0.0_f32..3.0, 0.0_f32..3.0, 0_usize..7, 0.1_f32..1.0, -1.0_f32..2.0)
        .prop_map(|(left, top, width, height, expression, share, quality)| Detection {
            bounds: FaceBox { left, top, width, height },
            quality,
            scores: scores(expression, share),
            ..at(0.0, 0.0)
        })
}

proptest! {
    #[test]
    fn every_sample_is_valid_and_identities_are_unique_and_never_come_back(
        frames in prop::collection::vec((0_u64..3_000, prop::collection::vec(any_detection(), 0..40)), 1..12),
    ) {
        let mut tracker = Tracker::new();
        let mut again = Tracker::new();
        let mut last_seen = std::collections::BTreeMap::new();
        let mut at = Duration::ZERO;
        let mut slowest = Duration::ZERO;
        for (elapsed_ms, detections) in frames {
            at += ms(elapsed_ms);
            slowest = slowest.max(ms(elapsed_ms));
            let faces = tracker.update(at, &detections);
            prop_assert_eq!(&faces, &again.update(at, &detections), "deterministic");
            prop_assert!(tracker.tracks.len() <= MAX_TRACKS);
            for pair in faces.windows(2) {
                prop_assert!(pair[0].id < pair[1].id);
            }
            for face in &faces {
                if let Some(seen) = last_seen.insert(face.id, at) {
                    let lost_after = LOST_AFTER.max(slowest.mul_f32(LOST_AFTER_INTERVALS));
                    prop_assert!(at.saturating_sub(seen) <= lost_after, "no identity after it was lost");
                }
                prop_assert!(face.id < tracker.next_id());
                let sum: f32 = face.scores.0.iter().sum();
                prop_assert!((sum - 1.0).abs() < 1e-4);
            }
            let sample = Sample::new(1, at.as_millis() as u64, faces);
            prop_assert_eq!(sample.validate(), Ok(()));
        }
    }
}

#[test]
fn landmarks_stay_with_their_face_until_they_are_too_old() {
    let with = |mut face: Detection, yaw: f32| {
        let measured = FaceLandmarks { yaw: Some(yaw), ..FaceLandmarks::default() };
        face.landmarks = Some(Box::new(Landmarked { measured, outline: Outline::default() }));
        face
    };
    let yaws = |faces: &[Face]| -> Vec<Option<f32>> {
        faces.iter().map(|face| face.landmarks.as_ref().and_then(|landmarks| landmarks.yaw)).collect()
    };
    let mut tracker = Tracker::new();
    let (left, right) = (at(0.1, 0.1), at(0.6, 0.1));
    let both = tracker.update(ms(0), &[with(left.clone(), -20.0), with(right.clone(), 20.0)]);
    assert_eq!(yaws(&both), [Some(-20.0), Some(20.0)]);
    // In another order, and not looked at.
    assert_eq!(yaws(&tracker.update(ms(100), &[right.clone(), left.clone()])), [Some(-20.0), Some(20.0)]);
    assert_eq!(tracker.outlines(ms(100)).iter().map(|outline| outline.face).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(yaws(&tracker.update(ms(200), std::slice::from_ref(&left))), [Some(-20.0)]);
    assert_eq!(tracker.outlines(ms(200)).len(), 1, "none of a face that is not there");
    assert_eq!(yaws(&tracker.update(ms(300), &[left, right])), [None, None]);
}
