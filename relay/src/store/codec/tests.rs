use mien_shared::{Expression, Face, Sample, Scores, SkipReason, Skipped};
use proptest::prelude::*;

use super::decode::{decode, decode_skipped, first_scores, scores};
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
    fn any_sample()(faces in proptest::collection::vec(any_face(), 0..33),
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
        let expected: Vec<_> = sample.faces.iter().map(|face| face.scores).collect();
        prop_assert_eq!(scores(&bytes).unwrap().collect::<Vec<_>>(), expected.clone());
        prop_assert_eq!(decode(3, 9, &bytes), Ok(sample.clone()));
        let more = encode(&next);
        let both = [&bytes[..], &more].concat();
        let (first, rest) = first_scores(&both, Some(sample.faces.len())).unwrap();
        prop_assert_eq!(first.collect::<Vec<_>>(), expected);
        prop_assert_eq!(rest, more);
    }

    #[test]
    fn no_bytes_panic(version in 0..3_u8, mut bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        bytes[0] = version;
        let _ = decode(1, 1, &bytes);
        let _ = first_scores(&bytes, Some(3)).map(|(scores, _)| scores.count());
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
    let bytes = encode(&Sample { media_ms: Some(4), ..Sample::new(1, 1, vec![face]) });
    assert!(decode(1, 1, &bytes).is_ok());
    // Of the sample, and of its face.
    for index in [1, 11] {
        let mut newer = bytes.clone();
        newer[index] |= 0x40;
        assert_eq!(decode(1, 1, &newer), Err(CodecFault::Version));
        assert!(matches!(scores(&newer), Err(CodecFault::Version)));
    }
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
