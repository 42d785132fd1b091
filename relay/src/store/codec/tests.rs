use mien_shared::series::Shown;
use mien_shared::{
    Coefficients, Expression, Face, FaceLandmarks, QualityReason, Sample, Scores, SkipReason, Skipped,
};
use proptest::option;
use proptest::prelude::*;

use super::decode::{decode, decode_skipped, first_shown, shown};
use super::encode::{encode, length};
use super::format::{CodecFault, FACE_BYTES, FACES};

prop_compose! {
    fn any_face()(id: u32, bounds in proptest::array::uniform4(-1.0_f32..=2.0), label in 0..8_usize,
                  scores in proptest::array::uniform7(0.0_f32..=1.0),
                  quality in proptest::option::of(0.0_f32..=1.0)) -> Face {
        Face { quality, ..Face::new(id, bounds.into(), Expression::from_index(label), Scores(scores)) }
    }
}

prop_compose! {
    fn any_landmarks()(yaw in option::of(-180.0_f32..=180.0), pitch in option::of(-180.0_f32..=180.0),
                       roll in option::of(-180.0_f32..=180.0), blink_left in option::of(0.0_f32..=1.0),
                       blink_right in option::of(0.0_f32..=1.0),
                       gaze in option::of(proptest::array::uniform2(-90.0_f32..=90.0)),
                       some in proptest::array::uniform(option::weighted(0.9, 0..=1_000_u16)),
                       measured: bool) -> FaceLandmarks {
        let coefficients =
            if measured { Coefficients::from_thousandths(some).unwrap() } else { Coefficients::default() };
        FaceLandmarks { yaw, pitch, roll, blink_left, blink_right, gaze, coefficients }
    }
}

prop_compose! {
    fn any_face_with_parts()(face in any_face(), valence in option::of(-1.0_f32..=1.0),
                             neutral in option::of(1..=u32::MAX),
                             why in proptest::sample::subsequence(QualityReason::ALL.to_vec(), 0..=5).prop_shuffle(),
                             landmarks in option::of(any_landmarks().prop_map(Box::new))) -> Face {
        Face { valence, neutral, why, landmarks, ..face }
    }
}

prop_compose! {
    fn any_sample()(faces in prop_oneof![proptest::collection::vec(any_face(), 0..33),
                                        proptest::collection::vec(any_face_with_parts(), 0..33)],
                    media_ms in proptest::option::of(0..1_u64 << 53),
                    skipped in proptest::collection::vec((0..7_usize, any::<i64>()), 0..17)) -> Sample {
        let skipped = skipped.into_iter().map(|(reason, ms)| Skipped { reason: SkipReason::ALL[reason], ms });
        Sample { media_ms, skipped: skipped.collect(), ..Sample::new(3, 9, faces) }
    }
}

proptest! {
    #[test]
    fn samples_read_back(sample in any_sample(), next in any_sample()) {
        let bytes = encode(&sample);
        prop_assert_eq!(bytes.len(), length(&sample));
        let expected: Vec<_> = sample.faces.iter().map(Shown::from).collect();
        prop_assert_eq!(shown(&bytes).unwrap().collect::<Vec<_>>(), expected.clone());
        let read = decode(3, 9, &bytes).unwrap();
        prop_assert_eq!(encode(&read), bytes.clone(), "storing what was read changes nothing");
        prop_assert_eq!(read, sample.clone());
        let more = encode(&next);
        let both = [&bytes[..], &more].concat();
        let (first, rest) = first_shown(&both, Some(sample.faces.len())).unwrap();
        prop_assert_eq!(first.collect::<Vec<_>>(), expected);
        prop_assert_eq!(rest, more);
    }

    #[test]
    fn no_bytes_panic(version in 0..3_u8, mut bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        bytes[0] = version;
        let _ = decode(1, 1, &bytes);
        let _ = first_shown(&bytes, Some(3)).map(|(shown, _)| shown.count());
    }

    /// No part of a sample decodes as a whole one.
    #[test]
    fn what_was_cut_off_is_known(sample in any_sample(), share in 0.0..1.0_f64) {
        let bytes = encode(&sample);
        let cut = &bytes[..(bytes.len() as f64 * share) as usize];
        let whole_faces = bytes[0] == FACES && cut.len() % FACE_BYTES == 1;
        prop_assert!(whole_faces || decode(3, 9, cut) == Err(CodecFault::Length));
    }
}

#[test]
fn damage_is_named() {
    let decode = |bytes: &[u8]| decode(1, 1, bytes).map(|sample| sample.faces);
    assert_eq!(decode(&[]), Err(CodecFault::Length));
    assert_eq!(decode(&[FACES]), Ok(Vec::new()));
    assert_eq!(decode(&[3]), Err(CodecFault::Version));
    assert_eq!(decode(&[FACES, 0]), Err(CodecFault::Length));
    let mut odd = vec![0; 1 + FACE_BYTES];
    odd[0] = FACES;
    odd[21] = 7;
    assert_eq!(decode(&odd), Err(CodecFault::Expression));
}

/// Each bit is one more part, which only a newer relay can read.
#[test]
fn parts_of_a_newer_version_are_not_left_out() {
    let face = Face::new(1, [0.0, 0.0, 1.0, 1.0].into(), None, Scores([0.0; 7]));
    let bytes = encode(&Sample { media_ms: Some(4), ..Sample::new(1, 1, vec![face.clone()]) });
    assert!(decode(1, 1, &bytes).is_ok());
    // Of the sample, and of its face.
    for index in [1, 11] {
        let mut newer = bytes.clone();
        newer[index] |= 0x40;
        assert_eq!(decode(1, 1, &newer), Err(CodecFault::Version));
        assert!(matches!(shown(&newer), Err(CodecFault::Version)));
    }
    // Of the landmarks.
    let landmarks = Some(Box::new(FaceLandmarks { yaw: Some(1.0), ..FaceLandmarks::default() }));
    let mut newer = encode(&Sample::new(1, 1, vec![Face { landmarks, ..face }]));
    assert!(decode(1, 1, &newer).is_ok());
    let there = newer.len() - 5;
    newer[there] |= 0x80;
    assert_eq!(decode(1, 1, &newer), Err(CodecFault::Version));
}

/// Pinned, as other releases must read it.
#[test]
fn the_parts_of_a_face_byte_by_byte() {
    let mut values = [None; Coefficients::COUNT];
    (values[0], values[1], values[3], values[51]) = (Some(1), Some(1_000), Some(0), Some(1_000));
    let landmarks = FaceLandmarks {
        yaw: Some(-12.5),
        roll: Some(2.0),
        gaze: Some([3.0, -4.0]),
        coefficients: Coefficients::from_thousandths(values).unwrap(),
        ..FaceLandmarks::default()
    };
    let plain = Face::new(7, [0.25, 0.5, 1.0, 2.0].into(), None, Scores([0.125; 7]));
    let face = Face {
        valence: Some(-0.5),
        neutral: Some(0x0102_0304),
        why: vec![QualityReason::Turned, QualityReason::Small],
        landmarks: Some(Box::new(landmarks)),
        ..plain.clone()
    };
    let mut expected = vec![2, 0, 1, 1 | 2 | 4 | 8];
    expected.extend_from_slice(&encode(&Sample::new(1, 1, vec![plain]))[1..]);
    expected.extend((-0.5_f32).to_le_bytes());
    expected.extend([4, 3, 2, 1]);
    expected.extend([2, 1, 0]);
    expected.push(1 | 4 | 32 | 64);
    expected.extend([-12.5_f32, 2.0, 3.0, -4.0].into_iter().flat_map(f32::to_le_bytes));
    // 1, 1,000, none and 0, of ten bits each, the lowest first.
    expected.extend([0x01, 0b1010_0000, 0xff, 0b0011_1111, 0]);
    expected.extend([0xff; 11 * 5]);
    expected.extend([0xff, 0xff, 0xff, 0b0011_1111, 0b1111_1010]);
    let bytes = encode(&Sample::new(1, 1, vec![face.clone()]));
    assert_eq!(bytes, expected);
    assert_eq!(decode(1, 1, &bytes).unwrap().faces, [face]);
}

#[test]
fn a_reason_for_low_quality_of_a_newer_version_is_left_out_and_a_coefficient_is_at_most_1() {
    let face = Face::new(1, [0.0, 0.0, 1.0, 1.0].into(), None, Scores([0.0; 7]));
    let why = vec![QualityReason::Dark, QualityReason::Cut];
    let mut bytes = encode(&Sample::new(1, 1, vec![Face { why, ..face.clone() }]));
    let last = bytes.len() - 1;
    bytes[last] = 77;
    assert_eq!(decode(1, 1, &bytes).unwrap().faces[0].why, [QualityReason::Dark]);
    let coefficients = Coefficients::new(&[1.0; Coefficients::COUNT]);
    let landmarks = Some(Box::new(FaceLandmarks { coefficients, ..FaceLandmarks::default() }));
    let mut bytes = encode(&Sample::new(1, 1, vec![Face { landmarks, ..face }]));
    let last = bytes.len() - 1;
    bytes[last] |= 0b0000_0100;
    assert_eq!(decode(1, 1, &bytes), Err(CodecFault::Coefficient));
}

/// The size that a million of them take matters.
#[test]
fn what_a_face_takes() {
    let plain = Face::new(1, [0.0, 0.0, 1.0, 1.0].into(), None, Scores([0.0; 7]));
    let valued = Face { valence: Some(0.5), neutral: Some(9), ..plain.clone() };
    let whole = Face {
        why: QualityReason::ALL.to_vec(),
        landmarks: Some(Box::new(FaceLandmarks {
            yaw: Some(0.0),
            pitch: Some(0.0),
            roll: Some(0.0),
            blink_left: Some(0.0),
            blink_right: Some(0.0),
            gaze: Some([0.0; 2]),
            coefficients: Coefficients::new(&[0.0; Coefficients::COUNT]),
        })),
        ..valued.clone()
    };
    let sizes = [plain, valued, whole].map(|face| encode(&Sample::new(1, 1, vec![face])).len());
    assert_eq!(sizes, [1 + 53, 3 + 54 + 8, 3 + 162]);
}

#[test]
fn a_reason_of_a_newer_version_is_another_one() {
    let entry = [77, 1, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(decode_skipped(&entry), Skipped { reason: SkipReason::Other, ms: 1 });
}

/// As the first releases wrote it, and as they must still be able to read it.
#[test]
fn faces_alone_are_version_1_byte_by_byte() {
    let scores = Scores([0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let face = Face {
        quality: Some(0.5),
        ..Face::new(0x0102_0304, [0.25, 0.5, 1.0, 2.0].into(), Some(Expression::Happiness), scores)
    };
    let mut expected = vec![1, 4, 3, 2, 1];
    for number in [0.25_f32, 0.5, 1.0, 2.0] {
        expected.extend(number.to_le_bytes());
    }
    expected.push(1);
    for number in [0.0_f32, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5] {
        expected.extend(number.to_le_bytes());
    }
    assert_eq!(encode(&Sample::new(1, 1, vec![face])), expected);
}
