//! Constants of the format, and the codes of reasons.

use mien_shared::{Coefficients, QualityReason, SkipReason};

/// Faces alone.
pub(super) const FACES: u8 = 1;
/// Faces and optional parts.
pub(super) const PARTS: u8 = 2;
/// The parts of a face that every version has.
pub(in crate::store) const FACE_BYTES: usize = 53;
pub(super) const ABSTAINED: u8 = 255;
/// The parts that a sample of version 2 may have.
pub(super) const MEDIA_MS: u8 = 1;
pub(super) const SKIPPED: u8 = 2;
/// A reason and a duration.
pub(super) const SKIPPED_BYTES: usize = 9;
const OTHER_REASON: u8 = 255;
/// The parts that a face of version 2 may have.
pub(super) const VALENCE: u8 = 1;
pub(super) const NEUTRAL: u8 = 2;
pub(super) const WHY: u8 = 4;
pub(super) const LANDMARKS: u8 = 8;
/// What landmarks may have.
pub(super) const YAW: u8 = 1;
pub(super) const PITCH: u8 = 2;
pub(super) const ROLL: u8 = 4;
pub(super) const BLINK_LEFT: u8 = 8;
pub(super) const BLINK_RIGHT: u8 = 16;
pub(super) const GAZE: u8 = 32;
pub(super) const COEFFICIENTS: u8 = 64;
/// Coefficients take ten bits each, four of them five bytes.
pub(super) const COEFFICIENT_BITS: usize = 10;
pub(super) const FOUR_COEFFICIENTS: usize = 4 * COEFFICIENT_BITS / 8;
pub(super) const COEFFICIENTS_BYTES: usize = Coefficients::COUNT / 4 * FOUR_COEFFICIENTS;
/// What no coefficient is, in thousandths.
pub(super) const NO_COEFFICIENT: u16 = (1 << COEFFICIENT_BITS) - 1;
const _: () = assert!(Coefficients::COUNT.is_multiple_of(4));

/// Why bytes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecFault {
    #[error("it was written by a newer version")]
    Version,
    #[error("its length is wrong")]
    Length,
    #[error("it has an unknown expression")]
    Expression,
    #[error("it has a coefficient over 1")]
    Coefficient,
}

pub(super) const fn reason_code(reason: SkipReason) -> u8 {
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

/// An unknown code reads as [`SkipReason::Other`], as an unknown name does on the wire.
pub(super) fn reason(code: u8) -> SkipReason {
    SkipReason::ALL.into_iter().find(|&reason| reason_code(reason) == code).unwrap_or(SkipReason::Other)
}

pub(super) const fn quality_code(reason: QualityReason) -> u8 {
    match reason {
        QualityReason::Small => 0,
        QualityReason::Turned => 1,
        QualityReason::Dark => 2,
        QualityReason::Blurred => 3,
        QualityReason::Cut => 4,
    }
}

/// `None` for an unknown code, which is left out, as an unknown name is on the wire.
pub(super) fn quality_reason(code: u8) -> Option<QualityReason> {
    QualityReason::ALL.into_iter().find(|&reason| quality_code(reason) == code)
}
