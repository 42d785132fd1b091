//! From a sample to bytes.

use mien_shared::{Coefficients, Face, FaceLandmarks, Sample, Skipped};

use super::format::{
    ABSTAINED, BLINK_LEFT, BLINK_RIGHT, COEFFICIENT_BITS, COEFFICIENTS, COEFFICIENTS_BYTES, FACE_BYTES,
    FACES, FOUR_COEFFICIENTS, GAZE, LANDMARKS, MEDIA_MS, NEUTRAL, NO_COEFFICIENT, PARTS, PITCH, ROLL,
    SKIPPED, SKIPPED_BYTES, VALENCE, WHY, YAW, quality_code, reason_code,
};

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
        + sample.faces.iter().map(optional_length).sum::<usize>()
}

fn optional_length(face: &Face) -> usize {
    face.valence.map_or(0, |_| 4)
        + face.neutral.map_or(0, |_| 4)
        + if face.why.is_empty() { 0 } else { 1 + face.why.len() }
        + face.landmarks.as_ref().map_or(0, |landmarks| {
            let coefficients = if landmarks.coefficients.is_empty() { 0 } else { COEFFICIENTS_BYTES };
            1 + 4 * numbers(landmarks).count() + coefficients
        })
}

fn is_faces_alone(sample: &Sample) -> bool {
    sample.media_ms.is_none()
        && sample.skipped.is_empty()
        && sample.faces.iter().all(|face| parts_of(face) == 0)
}

fn parts_of(face: &Face) -> u8 {
    let part = |there: bool, part: u8| if there { part } else { 0 };
    part(face.valence.is_some(), VALENCE)
        | part(face.neutral.is_some(), NEUTRAL)
        | part(!face.why.is_empty(), WHY)
        | part(face.landmarks.is_some(), LANDMARKS)
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
        bytes.push(parts_of(face));
        encode_face(face, bytes);
        encode_optional(face, bytes);
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

fn encode_optional(face: &Face, bytes: &mut Vec<u8>) {
    if let Some(valence) = face.valence {
        bytes.extend_from_slice(&valence.to_le_bytes());
    }
    if let Some(looks) = face.neutral {
        bytes.extend_from_slice(&looks.to_le_bytes());
    }
    if !face.why.is_empty() {
        // Each reason comes at most once.
        bytes.push(face.why.len() as u8);
        bytes.extend(face.why.iter().map(|&reason| quality_code(reason)));
    }
    if let Some(landmarks) = &face.landmarks {
        encode_landmarks(landmarks, bytes);
    }
}

fn encode_landmarks(landmarks: &FaceLandmarks, bytes: &mut Vec<u8>) {
    let begin = bytes.len();
    bytes.push(0);
    for (part, number) in numbers(landmarks) {
        bytes[begin] |= part;
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    if !landmarks.coefficients.is_empty() {
        bytes[begin] |= COEFFICIENTS;
        encode_coefficients(&landmarks.coefficients, bytes);
    }
}

/// Those that there are, each with the part that it belongs to.
fn numbers(landmarks: &FaceLandmarks) -> impl Iterator<Item = (u8, f32)> {
    let &FaceLandmarks { yaw, pitch, roll, blink_left, blink_right, gaze, coefficients: _ } = landmarks;
    [
        (YAW, yaw),
        (PITCH, pitch),
        (ROLL, roll),
        (BLINK_LEFT, blink_left),
        (BLINK_RIGHT, blink_right),
        (GAZE, gaze.map(|[right, _]| right)),
        (GAZE, gaze.map(|[_, up]| up)),
    ]
    .into_iter()
    .filter_map(|(part, number)| Some((part, number?)))
}

fn encode_coefficients(coefficients: &Coefficients, bytes: &mut Vec<u8>) {
    let values = coefficients.thousandths().map(|value| value.unwrap_or(NO_COEFFICIENT));
    for four in values.chunks_exact(4) {
        let bits =
            four.iter().rev().fold(0, |bits: u64, &value| (bits << COEFFICIENT_BITS) | u64::from(value));
        bytes.extend_from_slice(&bits.to_le_bytes()[..FOUR_COEFFICIENTS]);
    }
}
