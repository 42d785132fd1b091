//! From bytes to a sample, or to its scores alone.

use mien_shared::{Expression, Face, FaceBox, Sample, Scores, Skipped};

use super::format::{
    ABSTAINED, CodecFault, FACE_BYTES, FACES, MEDIA_MS, PARTS, SKIPPED, SKIPPED_BYTES, reason,
};

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
/// it ends: a sample of it has `faces_of_version_1` faces.
pub(in crate::store) fn first_scores(
    bytes: &[u8],
    faces_of_version_1: Option<usize>,
) -> Result<(impl Iterator<Item = Scores>, &[u8]), CodecFault> {
    let (parts, rest) = Parts::read(bytes, faces_of_version_1)?;
    Ok((parts.faces.map(decode_scores), rest))
}

/// The parts of a sample, whose lengths were checked.
struct Parts<'a> {
    media_ms: Option<u64>,
    skipped: &'a [[u8; SKIPPED_BYTES]],
    faces: Faces<'a>,
}

impl<'a> Parts<'a> {
    /// Also returns the bytes that follow. Without a number of faces, version 1 takes all the bytes.
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

/// Consecutive faces, whose lengths were checked.
struct Faces<'a> {
    bytes: &'a [u8],
    version: u8,
}

impl<'a> Faces<'a> {
    /// The first face of version 2, and the bytes that follow.
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

pub(super) fn decode_skipped(&[code, ref ms @ ..]: &[u8; SKIPPED_BYTES]) -> Skipped {
    Skipped { reason: reason(code), ms: i64::from_le_bytes(*ms) }
}

fn word(bytes: &[u8; FACE_BYTES], at: usize) -> [u8; 4] {
    [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
}

fn decode_scores(bytes: &[u8; FACE_BYTES]) -> Scores {
    Scores(std::array::from_fn(|index| f32::from_le_bytes(word(bytes, 21 + 4 * index))))
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
        valence: None,
        neutral: None,
        why: Vec::new(),
        landmarks: None,
    })
}
