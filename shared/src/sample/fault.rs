//! Why a sample is refused.

use crate::limits::{MAX_FACES, MAX_SKIPPED, SCORE_SUM_TOLERANCE};

/// Why a sample is refused. The text goes to the client as `detail`; it names places, never values, so that
/// nobody's scores end up in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SampleFault {
    #[error("seq is outside 1 … 2^53−1")]
    Seq,
    #[error("at is outside 0 … 2^53−1")]
    At,
    #[error("media_ms is outside 0 … 2^53−1")]
    MediaMs,
    #[error("skipped has more than {MAX_SKIPPED} entries")]
    TooManySkipped,
    #[error("skipped names a reason twice")]
    SkippedTwice,
    #[error("skipped[{place}].ms is outside what its reason allows")]
    SkippedMs { place: usize },
    #[error("more than {MAX_FACES} faces")]
    TooManyFaces,
    #[error("faces[{face}].box[{place}] is not a number in −1 … 2")]
    Box { face: usize, place: usize },
    #[error("faces[{face}].box has no area")]
    EmptyBox { face: usize },
    #[error("faces[{face}].scores[{place}] is not a number in 0 … 1")]
    Score { face: usize, place: usize },
    #[error("faces[{face}].scores do not sum to 1 ± {SCORE_SUM_TOLERANCE}")]
    ScoreSum { face: usize },
    #[error("faces[{face}].quality is not a number in 0 … 1")]
    Quality { face: usize },
    #[error("faces[{face}].valence is not a number in −1 … 1")]
    Valence { face: usize },
    #[error("faces[{face}].neutral is not above 0")]
    Neutral { face: usize },
    #[error("faces[{face}].landmarks.{field} is not a number in −180 … 180")]
    HeadAngle { face: usize, field: &'static str },
    #[error("faces[{face}].landmarks.{field} is not a number in 0 … 1")]
    Blink { face: usize, field: &'static str },
    #[error("faces[{face}].landmarks.gaze[{place}] is not a number in −90 … 90")]
    Gaze { face: usize, place: usize },
    #[error("faces[{face}].landmarks.coefficients.{name} is not a number in 0 … 1")]
    Coefficient { face: usize, name: &'static str },
}
