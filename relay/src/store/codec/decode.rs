//! From bytes to a sample, or to what a series takes of it.

use mien_shared::series::Shown;
use mien_shared::{Expression, Face, FaceBox, Sample, Scores, Skipped};

use super::format::{
    ABSTAINED, CodecFault, FACE_BYTES, FACES, MEDIA_MS, PARTS, SKIPPED, SKIPPED_BYTES, reason,
};
use super::optional::Optional;
use super::rest::Rest;

/// The sample of this seq and time.
pub fn decode(seq: u64, at: u64, bytes: &[u8]) -> Result<Sample, CodecFault> {
    let (Parts { media_ms, skipped, faces }, rest) = Parts::read(bytes, None)?;
    if !rest.is_empty() {
        return Err(CodecFault::Length);
    }
    let skipped = skipped.iter().map(decode_skipped).collect();
    Ok(Sample { seq, at, media_ms, skipped, faces: faces.map(decode_face).collect::<Result<_, _>>()? })
}

/// What a series takes of each face.
pub fn shown(bytes: &[u8]) -> Result<impl Iterator<Item = Shown>, CodecFault> {
    match first_shown(bytes, None)? {
        (shown, []) => Ok(shown),
        _ => Err(CodecFault::Length),
    }
}

/// What a series takes of each face of the first of several samples, and the bytes of the others. Version 1 does not
/// say where it ends: a sample of it has `faces_of_version_1` faces.
pub(in crate::store) fn first_shown(
    bytes: &[u8],
    faces_of_version_1: Option<usize>,
) -> Result<(impl Iterator<Item = Shown>, &[u8]), CodecFault> {
    let (parts, rest) = Parts::read(bytes, faces_of_version_1)?;
    let shown = |FaceBytes { fixed, optional }: FaceBytes<'_>| Shown {
        scores: decode_scores(fixed),
        valence: optional.valence(),
    };
    Ok((parts.faces.map(shown), rest))
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
            [PARTS, parts, ref rest @ ..] => Self::read_parts(parts, Rest(rest)),
            [] | [PARTS] => Err(CodecFault::Length),
            _ => Err(CodecFault::Version),
        }
    }

    fn read_parts(parts: u8, mut rest: Rest<'a>) -> Result<(Self, &'a [u8]), CodecFault> {
        if parts & !(MEDIA_MS | SKIPPED) != 0 {
            return Err(CodecFault::Version);
        }
        let mut media_ms = None;
        if parts & MEDIA_MS != 0 {
            media_ms = Some(u64::from_le_bytes(*rest.array()?));
        }
        let mut skipped: &[[u8; SKIPPED_BYTES]] = &[];
        if parts & SKIPPED != 0 {
            let count = usize::from(rest.byte()?);
            skipped = rest.slice(count * SKIPPED_BYTES)?.as_chunks().0;
        }
        let count = rest.byte()?;
        let faces = rest.0;
        for _ in 0..count {
            FaceBytes::read(&mut rest)?;
        }
        let faces = Faces { bytes: &faces[..faces.len() - rest.0.len()], version: PARTS };
        Ok((Self { media_ms, skipped, faces }, rest.0))
    }
}

/// A face, whose lengths were checked.
struct FaceBytes<'a> {
    fixed: &'a [u8; FACE_BYTES],
    optional: Optional<'a>,
}

impl<'a> FaceBytes<'a> {
    /// A face of version 2.
    fn read(rest: &mut Rest<'a>) -> Result<Self, CodecFault> {
        let parts = rest.byte()?;
        let fixed = rest.array()?;
        Ok(Self { fixed, optional: Optional::read(parts, rest)? })
    }
}

/// Consecutive faces, whose lengths were checked.
struct Faces<'a> {
    bytes: &'a [u8],
    version: u8,
}

impl<'a> Iterator for Faces<'a> {
    type Item = FaceBytes<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.version == FACES {
            let (fixed, rest) = self.bytes.split_first_chunk()?;
            self.bytes = rest;
            return Some(FaceBytes { fixed, optional: Optional::default() });
        }
        let mut rest = Rest(self.bytes);
        let face = FaceBytes::read(&mut rest).ok()?;
        self.bytes = rest.0;
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

fn decode_face(FaceBytes { fixed, optional }: FaceBytes<'_>) -> Result<Face, CodecFault> {
    let number = |at: usize| f32::from_le_bytes(word(fixed, at));
    let expression = match fixed[20] {
        ABSTAINED => None,
        index => Some(Expression::from_index(usize::from(index)).ok_or(CodecFault::Expression)?),
    };
    let quality = number(49);
    let bounds = FaceBox { left: number(4), top: number(8), width: number(12), height: number(16) };
    let mut face = Face {
        quality: (!quality.is_nan()).then_some(quality),
        ..Face::new(u32::from_le_bytes(word(fixed, 0)), bounds, expression, decode_scores(fixed))
    };
    optional.decode_into(&mut face)?;
    Ok(face)
}
