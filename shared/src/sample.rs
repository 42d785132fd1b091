//! A sample: what one analysed frame showed, and what makes it valid.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::expression::{Expression, Scores};
use crate::limits::{BOX_RANGE, MAX_FACES, MAX_SAFE_INTEGER, MAX_SKIPPED, SCORE_SUM_TOLERANCE};
use crate::whole::{whole, whole_if_any};

/// What one analysed frame showed. An empty list of faces is a real answer: nobody in view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sample {
    /// Number of the sample in its source, from 1, strictly increasing.
    #[serde(deserialize_with = "whole")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Seq))]
    pub seq: u64,
    /// Capture time in Unix milliseconds, by the source's clock.
    #[serde(deserialize_with = "whole")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::UnixMilliseconds))]
    pub at: u64,
    /// Position in the file, in milliseconds, where the frame came from one; 0 … 2^53−1.
    #[serde(default, deserialize_with = "whole_if_any", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::Milliseconds>))]
    pub media_ms: Option<u64>,
    /// Time since the source's last sample in which nothing was analysed, by reason, each once. It accounts for what
    /// of the difference between two `at` is no analysed time, so that the totals of a recording add up to its length.
    #[serde(default, deserialize_with = "objects_or_null", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SkippedTimes))]
    pub skipped: Vec<Skipped>,
    #[serde(deserialize_with = "objects")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Faces))]
    pub faces: Vec<Face>,
}

/// A time in which nothing was analysed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Skipped {
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::AnySkipReason))]
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
    fn is_valid(self) -> bool {
        let allowed = match self.reason {
            SkipReason::Other => true,
            SkipReason::ClockStep => self.ms != 0,
            _ => self.ms > 0,
        };
        allowed && self.ms.unsigned_abs() <= MAX_SAFE_INTEGER
    }
}

/// Reads a value that is an object on the wire, and only as that: derived readers of structs also take a list of
/// the fields' values, which the contract does not know.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(serde::de::value::MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Fields(std::marker::PhantomData)).map(Self)
    }
}

/// A list of objects.
pub(crate) fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(list.into_iter().map(|Object(value)| value).collect())
}

/// A list of objects that may be absent.
fn objects_or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(list.unwrap_or_default().into_iter().map(|Object(value)| value).collect())
}

/// One face of a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Face {
    /// Identity within the source, stable while the face is tracked.
    #[serde(deserialize_with = "whole")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::FaceId))]
    pub id: u32,
    #[serde(rename = "box")]
    pub bounds: FaceBox,
    /// Null where the analyser abstains. The key must be there: absent and null are not the same.
    #[serde(deserialize_with = "Option::deserialize")]
    #[cfg_attr(feature = "schema", schema(required))]
    pub expression: Option<Expression>,
    pub scores: Scores,
    /// How far the face can be judged (size, pose, light), 0 … 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::Share>))]
    pub quality: Option<f32>,
}

/// Left, top, width and height as fractions of the frame; on the wire a list of these four.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 4]", into = "[f32; 4]")]
pub struct FaceBox {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

impl FaceBox {
    /// Shared area over covered area, 0 … 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let width = (self.left + self.width).min(other.left + other.width) - self.left.max(other.left);
        let height = (self.top + self.height).min(other.top + other.height) - self.top.max(other.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let shared = width * height;
        shared / (self.width * self.height + other.width * other.height - shared)
    }
}

impl From<[f32; 4]> for FaceBox {
    fn from([left, top, width, height]: [f32; 4]) -> Self {
        Self { left, top, width, height }
    }
}

impl From<FaceBox> for [f32; 4] {
    fn from(b: FaceBox) -> Self {
        [b.left, b.top, b.width, b.height]
    }
}

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
}

impl Sample {
    /// A sample of a camera, without what is optional.
    pub const fn new(seq: u64, at: u64, faces: Vec<Face>) -> Self {
        Self { seq, at, media_ms: None, skipped: Vec::new(), faces }
    }

    /// Holds every rule of the contract's table that the types alone do not.
    pub fn validate(&self) -> Result<(), SampleFault> {
        if !(1..=MAX_SAFE_INTEGER).contains(&self.seq) {
            return Err(SampleFault::Seq);
        }
        if self.at > MAX_SAFE_INTEGER {
            return Err(SampleFault::At);
        }
        if self.media_ms.is_some_and(|position| position > MAX_SAFE_INTEGER) {
            return Err(SampleFault::MediaMs);
        }
        self.validate_skipped()?;
        if self.faces.len() > MAX_FACES {
            return Err(SampleFault::TooManyFaces);
        }
        self.faces.iter().enumerate().try_for_each(|(place, face)| face.validate(place))
    }

    fn validate_skipped(&self) -> Result<(), SampleFault> {
        if self.skipped.len() > MAX_SKIPPED {
            return Err(SampleFault::TooManySkipped);
        }
        for (place, skipped) in self.skipped.iter().enumerate() {
            let twice = skipped.reason != SkipReason::Other
                && self.skipped[..place].iter().any(|earlier| earlier.reason == skipped.reason);
            if twice {
                return Err(SampleFault::SkippedTwice);
            }
            if !skipped.is_valid() {
                return Err(SampleFault::SkippedMs { place });
            }
        }
        Ok(())
    }
}

impl Face {
    fn validate(&self, face: usize) -> Result<(), SampleFault> {
        // `contains` is false for NaN and the infinities, so this is the finiteness check too.
        let bounds: [f32; 4] = self.bounds.into();
        if let Some(place) = bounds.iter().position(|side| !BOX_RANGE.contains(side)) {
            return Err(SampleFault::Box { face, place });
        }
        if self.bounds.width <= 0.0 || self.bounds.height <= 0.0 {
            return Err(SampleFault::EmptyBox { face });
        }
        if let Some(place) = self.scores.0.iter().position(|score| !(0.0..=1.0).contains(score)) {
            return Err(SampleFault::Score { face, place });
        }
        let sum: f32 = self.scores.0.iter().sum();
        // The margin keeps 0.95 and 1.05 themselves valid in spite of rounding.
        if (sum - 1.0).abs() > SCORE_SUM_TOLERANCE + 1e-5 {
            return Err(SampleFault::ScoreSum { face });
        }
        match self.quality {
            Some(quality) if !(0.0..=1.0).contains(&quality) => Err(SampleFault::Quality { face }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face() -> Face {
        Face {
            id: 1,
            bounds: [0.31, 0.22, 0.18, 0.24].into(),
            expression: Some(Expression::Happiness),
            scores: Scores([0.05, 0.91, 0.01, 0.01, 0.01, 0.0, 0.01]),
            quality: Some(0.93),
        }
    }

    fn check(change: impl FnOnce(&mut Sample), expected: Result<(), SampleFault>) {
        let mut sample = Sample::new(1, 1_763_907_600_123, vec![face()]);
        change(&mut sample);
        assert_eq!(sample.validate(), expected);
    }

    #[test]
    fn the_contracts_example_reads_and_writes_back_the_same() {
        let text = r#"{"seq":1,"at":1763907600123,"faces":[{"id":1,"box":[0.31,0.22,0.18,0.24],"expression":"happiness","scores":[0.05,0.91,0.01,0.01,0.01,0.0,0.01],"quality":0.93}]}"#;
        let sample: Sample = serde_json::from_str(text).unwrap();
        assert_eq!(sample.validate(), Ok(()));
        assert_eq!(serde_json::to_string(&sample).unwrap(), text);
    }

    #[test]
    fn each_rule_has_its_fault() {
        check(|_| {}, Ok(()));
        check(|s| s.faces.clear(), Ok(()));
        check(|s| s.seq = 0, Err(SampleFault::Seq));
        check(|s| s.seq = MAX_SAFE_INTEGER + 1, Err(SampleFault::Seq));
        check(|s| s.at = MAX_SAFE_INTEGER + 1, Err(SampleFault::At));
        check(|s| s.faces = vec![face(); 33], Err(SampleFault::TooManyFaces));
        check(|s| s.faces[0].bounds.left = f32::NAN, Err(SampleFault::Box { face: 0, place: 0 }));
        check(|s| s.faces[0].bounds.top = 2.5, Err(SampleFault::Box { face: 0, place: 1 }));
        check(|s| s.faces[0].bounds.width = 0.0, Err(SampleFault::EmptyBox { face: 0 }));
        check(|s| s.faces[0].scores.0[3] = f32::INFINITY, Err(SampleFault::Score { face: 0, place: 3 }));
        check(|s| s.faces[0].scores.0[1] = 0.5, Err(SampleFault::ScoreSum { face: 0 }));
        check(|s| s.faces[0].quality = Some(1.5), Err(SampleFault::Quality { face: 0 }));
        check(|s| s.faces[0].quality = None, Ok(()));
    }

    #[test]
    fn what_was_skipped_is_named_once_and_only_a_clock_goes_back() {
        let skipped = |list: &[(SkipReason, i64)]| {
            let list = list.iter().map(|&(reason, ms)| Skipped { reason, ms }).collect();
            Sample { skipped: list, media_ms: Some(7), ..Sample::new(1, 1, Vec::new()) }
        };
        let good = skipped(&[(SkipReason::Hidden, 12_000), (SkipReason::ClockStep, -120_000)]);
        assert_eq!(good.validate(), Ok(()));
        let text = r#"{"seq":1,"at":1,"media_ms":7,"skipped":[{"reason":"hidden","ms":12000},{"reason":"clock_step","ms":-120000}],"faces":[]}"#;
        assert_eq!(serde_json::to_string(&good).unwrap(), text);
        assert_eq!(serde_json::from_str::<Sample>(text).unwrap(), good);
        let check = |list: &[(SkipReason, i64)], fault| assert_eq!(skipped(list).validate(), Err(fault));
        check(&[(SkipReason::Paused, 1), (SkipReason::Paused, 2)], SampleFault::SkippedTwice);
        check(&[(SkipReason::Paused, -1)], SampleFault::SkippedMs { place: 0 });
        check(&[(SkipReason::Full, 1), (SkipReason::Paused, 0)], SampleFault::SkippedMs { place: 1 });
        check(&[(SkipReason::ClockStep, i64::MIN)], SampleFault::SkippedMs { place: 0 });
        for reason in SkipReason::ALL {
            assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{}\"", reason.name()));
        }
        check(&[(SkipReason::Other, 1); MAX_SKIPPED + 1], SampleFault::TooManySkipped);
    }

    /// From a client that is newer than this reader.
    #[test]
    fn what_is_not_known_here_is_taken() {
        let text = r#"{"seq":1,"at":1,"media_ms":null,"skipped":null,"faces":[]}"#;
        assert_eq!(serde_json::from_str::<Sample>(text).unwrap(), Sample::new(1, 1, Vec::new()));
        let text = r#"{"seq":1,"at":1,"weather":{"sky":[]},"skipped":[
            {"reason":"lens_cap","ms":-5,"since":7},{"reason":"moved","ms":0},{"reason":"full","ms":3}],
            "faces":[{"id":1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0,0],
            "valence":-0.5,"why":["dark"],"landmarks":{"yaw":3}}]}"#;
        let sample: Sample = serde_json::from_str(text).unwrap();
        assert_eq!(sample.validate(), Ok(()));
        let expected = [(SkipReason::Other, -5), (SkipReason::Other, 0), (SkipReason::Full, 3)];
        assert_eq!(sample.skipped, expected.map(|(reason, ms)| Skipped { reason, ms }));
    }

    #[test]
    fn an_absent_expression_is_not_an_abstention() {
        let absent = r#"{"id":1,"box":[0,0,1,1],"scores":[1,0,0,0,0,0,0]}"#;
        assert!(serde_json::from_str::<Face>(absent).is_err());
        let null = r#"{"id":1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0,0]}"#;
        assert_eq!(serde_json::from_str::<Face>(null).unwrap().expression, None);
    }

    #[test]
    fn iou_of_halves() {
        let whole = FaceBox::from([0.0, 0.0, 1.0, 1.0]);
        assert!((whole.iou(&[0.5, 0.0, 1.0, 1.0].into()) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(whole.iou(&[2.0, 0.0, 1.0, 1.0].into()), 0.0);
    }
}
