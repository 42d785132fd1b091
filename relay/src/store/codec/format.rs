//! Constants of the format, and the codes of reasons.

use mien_shared::SkipReason;

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

/// Why bytes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecFault {
    #[error("it was written by a newer version")]
    Version,
    #[error("its length is wrong")]
    Length,
    #[error("it has an unknown expression")]
    Expression,
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
