//! From a sample to bytes.

use mien_shared::{Face, Sample, Skipped};

use super::format::{ABSTAINED, FACE_BYTES, FACES, MEDIA_MS, PARTS, SKIPPED, SKIPPED_BYTES, reason_code};

/// Everything of a sample except its seq and its time.
pub fn encode(sample: &Sample) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length(sample));
    encode_into(sample, &mut bytes);
    bytes
}

pub(super) fn length(sample: &Sample) -> usize {
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
