//! A sample as bytes, as the store keeps it beside its seq and its time.
//!
//! The first byte is the version; all numbers are little endian. Each version that was ever written is read.
//!
//! Version 1, for a sample that has nothing but faces: 53 bytes a face.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | id, u32 |
//! | 16 | left, top, width, height, f32 each |
//! | 1 | expression, its index, or 255 where the analyser abstained |
//! | 28 | the seven scores, f32 each |
//! | 4 | quality, f32, or NaN where there is none |
//!
//! Version 2 says what it has, and so where it ends:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | which optional parts follow: 1 position in the file, 2 what was skipped |
//! | 8 | position in the file, u64 milliseconds, if there is one |
//! | 1 + 9 each | how many entries; for each the code of its reason, and i64 milliseconds; if there are any |
//! | 1 | how many faces |
//! | 1 + 53 each | which optional parts the face has: none yet; then the face as in version 1, then those parts |
//!
//! A bit for a part that is not known here means that a newer relay wrote it: its length is not known either, and
//! nobody shall take half of a sample for the whole.
//!
//! What version 1 can say is written so: it is smaller, and a relay before version 2 that shares the database reads
//! it. Nobody in view is the version byte alone. A tenth of the JSON, and no parsing to read a million of them.

use mien_shared::{Expression, Face, FaceBox, Sample, Scores, SkipReason, Skipped};

/// Faces alone.
const FACES: u8 = 1;
/// Faces and optional parts.
const PARTS: u8 = 2;
/// The parts of a face that every version has.
pub(super) const FACE_BYTES: usize = 53;
const ABSTAINED: u8 = 255;
/// The parts that a sample of version 2 may have.
const MEDIA_MS: u8 = 1;
const SKIPPED: u8 = 2;
/// A reason, and how long.
const SKIPPED_BYTES: usize = 9;
const OTHER_REASON: u8 = 255;

/// Bytes that this build did not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecFault {
    #[error("it was written by a newer version")]
    Version,
    #[error("its length is wrong")]
    Length,
    #[error("it has an unknown expression")]
    Expression,
}

/// All of a sample but its seq and its time.
pub fn encode(sample: &Sample) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length(sample));
    encode_into(sample, &mut bytes);
    bytes
}

fn length(sample: &Sample) -> usize {
    let faces = sample.faces.len();
    if is_faces_alone(sample) {
        return 1 + faces * FACE_BYTES;
    }
    let skipped = sample.skipped.len();
    2 + sample.media_ms.map_or(0, |_| 8)
        + if skipped > 0 { 1 + skipped * SKIPPED_BYTES } else { 0 }
        + 1
        + faces * (1 + FACE_BYTES)
}

fn is_faces_alone(sample: &Sample) -> bool {
    sample.media_ms.is_none() && sample.skipped.is_empty()
}

/// Appends to `bytes`.
pub fn encode_into(sample: &Sample, bytes: &mut Vec<u8>) {
    let Sample { media_ms, skipped, faces, .. } = sample;
    if is_faces_alone(sample) {
        bytes.push(FACES);
        for face in faces {
            encode_face(face, bytes);
        }
        return;
    }
    bytes.push(PARTS);
    bytes.push(if media_ms.is_some() { MEDIA_MS } else { 0 } | if skipped.is_empty() { 0 } else { SKIPPED });
    if let Some(position) = media_ms {
        bytes.extend_from_slice(&position.to_le_bytes());
    }
    // Valid samples have at most 16 of these and 32 faces.
    if !skipped.is_empty() {
        bytes.push(skipped.len() as u8);
        for Skipped { reason, ms } in skipped {
            bytes.push(reason_code(*reason));
            bytes.extend_from_slice(&ms.to_le_bytes());
        }
    }
    bytes.push(faces.len() as u8);
    for face in faces {
        bytes.push(0);
        encode_face(face, bytes);
    }
}

fn encode_face(face: &Face, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&face.id.to_le_bytes());
    for side in <[f32; 4]>::from(face.bounds) {
        bytes.extend_from_slice(&side.to_le_bytes());
    }
    bytes.push(face.expression.map_or(ABSTAINED, |expression| expression.index() as u8));
    for score in face.scores.0 {
        bytes.extend_from_slice(&score.to_le_bytes());
    }
    bytes.extend_from_slice(&face.quality.unwrap_or(f32::NAN).to_le_bytes());
}

/// The sample of this seq and time.
pub fn decode(seq: u64, at: u64, bytes: &[u8]) -> Result<Sample, CodecFault> {
    let (Parts { media_ms, skipped, faces }, rest) = Parts::read(bytes, None)?;
    if !rest.is_empty() {
        return Err(CodecFault::Length);
    }
    let skipped = skipped.iter().map(decode_skipped).collect();
    Ok(Sample { seq, at, media_ms, skipped, faces: faces.map(decode_face).collect::<Result<_, _>>()? })
}

/// The scores of each face alone.
pub fn scores(bytes: &[u8]) -> Result<impl Iterator<Item = Scores>, CodecFault> {
    match first_scores(bytes, None)? {
        (scores, []) => Ok(scores),
        _ => Err(CodecFault::Length),
    }
}

/// The scores of each face of the first of several samples, and the bytes of the others. Version 1 does not say where
/// it ends: such a sample has `faces_of_version_1`.
pub(super) fn first_scores(
    bytes: &[u8],
    faces_of_version_1: Option<usize>,
) -> Result<(impl Iterator<Item = Scores>, &[u8]), CodecFault> {
    let (parts, rest) = Parts::read(bytes, faces_of_version_1)?;
    Ok((parts.faces.map(decode_scores), rest))
}

/// What a sample has, checked for its length.
struct Parts<'a> {
    media_ms: Option<u64>,
    skipped: &'a [[u8; SKIPPED_BYTES]],
    faces: Faces<'a>,
}

impl<'a> Parts<'a> {
    /// Also gives the bytes behind it. Without a number of faces, version 1 takes all there are.
    fn read(bytes: &'a [u8], faces_of_version_1: Option<usize>) -> Result<(Self, &'a [u8]), CodecFault> {
        match *bytes {
            [FACES, ref rest @ ..] => {
                let count = faces_of_version_1.unwrap_or(rest.len() / FACE_BYTES);
                let (faces, rest) = rest.split_at_checked(count * FACE_BYTES).ok_or(CodecFault::Length)?;
                let faces = Faces { bytes: faces, version: FACES };
                Ok((Self { media_ms: None, skipped: &[], faces }, rest))
            }
            [PARTS, parts, ref rest @ ..] => Self::read_parts(parts, rest),
            [] | [PARTS] => Err(CodecFault::Length),
            _ => Err(CodecFault::Version),
        }
    }

    fn read_parts(parts: u8, mut rest: &'a [u8]) -> Result<(Self, &'a [u8]), CodecFault> {
        if parts & !(MEDIA_MS | SKIPPED) != 0 {
            return Err(CodecFault::Version);
        }
        let mut media_ms = None;
        if parts & MEDIA_MS != 0 {
            let (position, others) = rest.split_first_chunk().ok_or(CodecFault::Length)?;
            (media_ms, rest) = (Some(u64::from_le_bytes(*position)), others);
        }
        let mut skipped: &[[u8; SKIPPED_BYTES]] = &[];
        if parts & SKIPPED != 0 {
            let (&count, others) = rest.split_first().ok_or(CodecFault::Length)?;
            let (entries, others) =
                others.split_at_checked(usize::from(count) * SKIPPED_BYTES).ok_or(CodecFault::Length)?;
            (skipped, rest) = (entries.as_chunks().0, others);
        }
        let (&count, rest) = rest.split_first().ok_or(CodecFault::Length)?;
        let mut behind = rest;
        for _ in 0..count {
            behind = Faces::next_with_parts(behind)?.1;
        }
        let faces = Faces { bytes: &rest[..rest.len() - behind.len()], version: PARTS };
        Ok((Self { media_ms, skipped, faces }, behind))
    }
}

/// Faces one after the other, whose lengths were checked.
struct Faces<'a> {
    bytes: &'a [u8],
    version: u8,
}

impl<'a> Faces<'a> {
    /// The first face of version 2, and what is behind it.
    fn next_with_parts(bytes: &'a [u8]) -> Result<(&'a [u8; FACE_BYTES], &'a [u8]), CodecFault> {
        let (&parts, rest) = bytes.split_first().ok_or(CodecFault::Length)?;
        if parts != 0 {
            return Err(CodecFault::Version);
        }
        rest.split_first_chunk().ok_or(CodecFault::Length)
    }
}

impl<'a> Iterator for Faces<'a> {
    type Item = &'a [u8; FACE_BYTES];

    fn next(&mut self) -> Option<Self::Item> {
        let (face, rest) = if self.version == FACES {
            self.bytes.split_first_chunk()?
        } else {
            Self::next_with_parts(self.bytes).ok()?
        };
        self.bytes = rest;
        Some(face)
    }
}

const fn reason_code(reason: SkipReason) -> u8 {
    match reason {
        SkipReason::Paused => 0,
        SkipReason::Hidden => 1,
        SkipReason::Throttled => 2,
        SkipReason::Stalled => 3,
        SkipReason::Full => 4,
        SkipReason::ClockStep => 5,
        SkipReason::Other => OTHER_REASON,
    }
}

/// A reason that is newer than this reader is another one, as it is on the wire.
fn reason(code: u8) -> SkipReason {
    SkipReason::ALL.into_iter().find(|&reason| reason_code(reason) == code).unwrap_or(SkipReason::Other)
}

fn decode_skipped(&[code, ref ms @ ..]: &[u8; SKIPPED_BYTES]) -> Skipped {
    Skipped { reason: reason(code), ms: i64::from_le_bytes(*ms) }
}

fn word(bytes: &[u8; FACE_BYTES], at: usize) -> [u8; 4] {
    [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
}

fn decode_scores(bytes: &[u8; FACE_BYTES]) -> Scores {
    Scores(std::array::from_fn(|place| f32::from_le_bytes(word(bytes, 21 + 4 * place))))
}

fn decode_face(bytes: &[u8; FACE_BYTES]) -> Result<Face, CodecFault> {
    let number = |at: usize| f32::from_le_bytes(word(bytes, at));
    let expression = match bytes[20] {
        ABSTAINED => None,
        index => Some(Expression::from_index(usize::from(index)).ok_or(CodecFault::Expression)?),
    };
    let quality = number(49);
    Ok(Face {
        id: u32::from_le_bytes(word(bytes, 0)),
        bounds: FaceBox { left: number(4), top: number(8), width: number(12), height: number(16) },
        expression,
        scores: decode_scores(bytes),
        quality: (!quality.is_nan()).then_some(quality),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn any_face()(id: u32, bounds in proptest::array::uniform4(-1.0_f32..=2.0), label in 0..8_usize,
                      scores in proptest::array::uniform7(0.0_f32..=1.0),
                      quality in proptest::option::of(0.0_f32..=1.0)) -> Face {
            Face { id, bounds: bounds.into(), expression: Expression::from_index(label), scores: Scores(scores), quality }
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

        /// No part of a sample reads as a whole one.
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
        let face = Face {
            id: 1,
            bounds: [0.0, 0.0, 1.0, 1.0].into(),
            expression: None,
            scores: Scores([0.0; 7]),
            quality: None,
        };
        let bytes = encode(&Sample { media_ms: Some(4), ..Sample::new(1, 1, vec![face]) });
        assert!(decode(1, 1, &bytes).is_ok());
        // Of the sample, and of its face.
        for place in [1, 11] {
            let mut newer = bytes.clone();
            newer[place] |= 0x40;
            assert_eq!(decode(1, 1, &newer), Err(CodecFault::Version));
            assert!(matches!(scores(&newer), Err(CodecFault::Version)));
        }
    }

    #[test]
    fn a_reason_of_a_newer_version_is_another_one() {
        let entry = [77, 1, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(decode_skipped(&entry), Skipped { reason: SkipReason::Other, ms: 1 });
    }

    /// As the first releases wrote it, and as they will go on to find it.
    #[test]
    fn faces_alone_are_version_1_byte_by_byte() {
        let face = Face {
            id: 0x0102_0304,
            bounds: [0.25, 0.5, 1.0, 2.0].into(),
            expression: Some(Expression::Happiness),
            scores: Scores([0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
            quality: Some(0.5),
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
}
