//! The optional parts of a face, from bytes.

use mien_shared::{Coefficients, Face, FaceLandmarks};

use super::format::{
    BLINK_LEFT, BLINK_RIGHT, COEFFICIENT_BITS, COEFFICIENTS, COEFFICIENTS_BYTES, CodecFault,
    FOUR_COEFFICIENTS, GAZE, LANDMARKS, NEUTRAL, NO_COEFFICIENT, PITCH, ROLL, VALENCE, WHY, YAW,
    quality_reason,
};
use super::rest::Rest;

/// The optional parts of a face, whose lengths were checked.
#[derive(Default)]
pub(super) struct Optional<'a> {
    parts: u8,
    bytes: &'a [u8],
}

impl<'a> Optional<'a> {
    /// Takes the bytes of these parts.
    pub(super) fn read(parts: u8, rest: &mut Rest<'a>) -> Result<Self, CodecFault> {
        if parts == 0 {
            return Ok(Self::default());
        }
        if parts & !(VALENCE | NEUTRAL | WHY | LANDMARKS) != 0 {
            return Err(CodecFault::Version);
        }
        let bytes = rest.0;
        rest.slice(4 * (parts & (VALENCE | NEUTRAL)).count_ones() as usize)?;
        if parts & WHY != 0 {
            let count = rest.byte()?;
            rest.slice(usize::from(count))?;
        }
        if parts & LANDMARKS != 0 {
            let there = rest.byte()?;
            rest.slice(landmarks_length(there)?)?;
        }
        Ok(Self { parts, bytes: &bytes[..bytes.len() - rest.0.len()] })
    }

    pub(super) fn valence(&self) -> Option<f32> {
        if self.parts & VALENCE == 0 {
            return None;
        }
        Rest(self.bytes).number().ok()
    }

    pub(super) fn decode_into(&self, face: &mut Face) -> Result<(), CodecFault> {
        let mut rest = Rest(self.bytes);
        if self.parts & VALENCE != 0 {
            face.valence = Some(rest.number()?);
        }
        if self.parts & NEUTRAL != 0 {
            face.neutral = Some(u32::from_le_bytes(*rest.array()?));
        }
        if self.parts & WHY != 0 {
            let count = rest.byte()?;
            face.why =
                rest.slice(usize::from(count))?.iter().filter_map(|&code| quality_reason(code)).collect();
        }
        if self.parts & LANDMARKS != 0 {
            face.landmarks = Some(Box::new(landmarks(&mut rest)?));
        }
        Ok(())
    }
}

/// Bytes of landmarks that have these, without the byte that says so.
fn landmarks_length(there: u8) -> Result<usize, CodecFault> {
    let singles = YAW | PITCH | ROLL | BLINK_LEFT | BLINK_RIGHT;
    if there & !(singles | GAZE | COEFFICIENTS) != 0 {
        return Err(CodecFault::Version);
    }
    Ok(4 * (there & singles).count_ones() as usize
        + if there & GAZE != 0 { 8 } else { 0 }
        + if there & COEFFICIENTS != 0 { COEFFICIENTS_BYTES } else { 0 })
}

fn landmarks(rest: &mut Rest<'_>) -> Result<FaceLandmarks, CodecFault> {
    let there = rest.byte()?;
    let mut number = |part: u8| if there & part != 0 { rest.number().map(Some) } else { Ok(None) };
    let mut landmarks = FaceLandmarks {
        yaw: number(YAW)?,
        pitch: number(PITCH)?,
        roll: number(ROLL)?,
        blink_left: number(BLINK_LEFT)?,
        blink_right: number(BLINK_RIGHT)?,
        gaze: number(GAZE)?.zip(number(GAZE)?).map(<[f32; 2]>::from),
        ..FaceLandmarks::default()
    };
    if there & COEFFICIENTS != 0 {
        landmarks.coefficients = coefficients(rest.array()?)?;
    }
    Ok(landmarks)
}

fn coefficients(bytes: &[u8; COEFFICIENTS_BYTES]) -> Result<Coefficients, CodecFault> {
    let mut values = [None; Coefficients::COUNT];
    for (four, bytes) in values.chunks_exact_mut(4).zip(bytes.chunks_exact(FOUR_COEFFICIENTS)) {
        let bits = bytes.iter().rev().fold(0, |bits: u64, &byte| (bits << 8) | u64::from(byte));
        for (place, value) in four.iter_mut().enumerate() {
            let thousandths = (bits >> (place * COEFFICIENT_BITS)) as u16 & NO_COEFFICIENT;
            *value = (thousandths != NO_COEFFICIENT).then_some(thousandths);
        }
    }
    Coefficients::from_thousandths(values).ok_or(CodecFault::Coefficient)
}
