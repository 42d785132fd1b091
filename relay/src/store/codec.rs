//! The faces of a sample as bytes, as the store keeps them.
//!
//! One version byte (1), then 53 bytes a face, all numbers little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | id, u32 |
//! | 16 | left, top, width, height, f32 each |
//! | 1 | expression, its index, or 255 where the analyser abstained |
//! | 28 | the seven scores, f32 each |
//! | 4 | quality, f32, or NaN where there is none |
//!
//! Nobody in view is the version byte alone. A tenth of the JSON, and no parsing to read a million of them.

use mien_shared::{Expression, Face, FaceBox, Scores};

const VERSION: u8 = 1;
pub(super) const FACE_BYTES: usize = 53;
const ABSTAINED: u8 = 255;

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

pub fn encode(faces: &[Face]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + faces.len() * FACE_BYTES);
    encode_into(faces, &mut bytes);
    bytes
}

/// Appends to `bytes`.
pub fn encode_into(faces: &[Face], bytes: &mut Vec<u8>) {
    bytes.push(VERSION);
    for face in faces {
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
}

pub fn decode(bytes: &[u8]) -> Result<Vec<Face>, CodecFault> {
    faces(bytes)?.iter().map(decode_face).collect()
}

/// The scores of each face alone.
pub fn scores(bytes: &[u8]) -> Result<impl Iterator<Item = Scores>, CodecFault> {
    Ok(faces(bytes)?.iter().map(decode_scores))
}

fn faces(bytes: &[u8]) -> Result<&[[u8; FACE_BYTES]], CodecFault> {
    let (&version, rest) = bytes.split_first().ok_or(CodecFault::Length)?;
    if version != VERSION {
        return Err(CodecFault::Version);
    }
    let (faces, remainder) = rest.as_chunks();
    if remainder.is_empty() { Ok(faces) } else { Err(CodecFault::Length) }
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

    proptest! {
        #[test]
        fn faces_read_back(faces in proptest::collection::vec(any_face(), 0..33)) {
            let bytes = encode(&faces);
            let scores: Vec<_> = scores(&bytes).unwrap().collect();
            prop_assert_eq!(scores, faces.iter().map(|face| face.scores).collect::<Vec<_>>());
            prop_assert_eq!(decode(&bytes), Ok(faces));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn damage_is_named() {
        assert_eq!(decode(&[]), Err(CodecFault::Length));
        assert_eq!(decode(&[VERSION]), Ok(Vec::new()));
        assert_eq!(decode(&[2]), Err(CodecFault::Version));
        assert_eq!(decode(&[VERSION, 0]), Err(CodecFault::Length));
        let mut odd = vec![0; 1 + FACE_BYTES];
        odd[0] = VERSION;
        odd[21] = 7;
        assert_eq!(decode(&odd), Err(CodecFault::Expression));
    }
}
