//! Time in which nothing was analysed.

use serde::{Deserialize, Serialize};

use crate::limits::MAX_SAFE_INTEGER;
use crate::whole::whole;

/// A time in which nothing was analysed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Skipped {
    #[cfg_attr(feature = "schema", schema(value_type = AnySkipReason))]
    pub reason: SkipReason,
    /// Milliseconds, at most 2^53−1 either way. A step of the wall clock is below 0 where the clock was set back; every
    /// other is above 0.
    #[serde(deserialize_with = "whole")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SkippedMilliseconds))]
    pub ms: i64,
}

/// Why nothing was analysed for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The person paused.
    Paused,
    /// The page was hidden, and the browser gives a hidden page no frames.
    Hidden,
    /// The page was visible, but browser or machine let it run too rarely.
    Throttled,
    /// The camera or the file gave no pictures.
    Stalled,
    /// Frames were analysed, but there was no room left to keep what they showed.
    Full,
    /// The wall clock was set. `at` jumps; no time was lost. Where a browser's steady clock stands still while the
    /// machine sleeps, a sleep cannot be told from it.
    ClockStep,
    /// A reason that is newer than this reader. It may stand for several, so it may come more than once.
    #[serde(other)]
    Other,
}

impl SkipReason {
    pub const ALL: [Self; 7] = [
        Self::Paused,
        Self::Hidden,
        Self::Throttled,
        Self::Stalled,
        Self::Full,
        Self::ClockStep,
        Self::Other,
    ];

    /// The word on the wire and in exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Hidden => "hidden",
            Self::Throttled => "throttled",
            Self::Stalled => "stalled",
            Self::Full => "full",
            Self::ClockStep => "clock_step",
            Self::Other => "other",
        }
    }
}

impl Skipped {
    /// Whether `ms` is what its reason allows. Of a reason that is not known here, nobody knows.
    pub(super) fn is_valid(self) -> bool {
        let allowed = match self.reason {
            SkipReason::Other => true,
            SkipReason::ClockStep => self.ms != 0,
            _ => self.ms > 0,
        };
        allowed && self.ms.unsigned_abs() <= MAX_SAFE_INTEGER
    }
}

#[cfg(feature = "schema")]
mod schema {
    use super::{SkipReason, Skipped};
    use crate::limits::MAX_SKIPPED;
    use crate::schema::{components, list, open};

    components! {
        /// Why nothing was analysed. More reasons may come: one that is not known here counts as `other`.
        pub(crate) AnySkipReason: open::<SkipReason>(), of SkipReason;
        /// What was skipped, by reason.
        pub(crate) SkippedTimes: list::<Skipped>(0..=MAX_SKIPPED), of Skipped;
    }
}

#[cfg(feature = "schema")]
use schema::AnySkipReason;
#[cfg(feature = "schema")]
pub(super) use schema::SkippedTimes;
