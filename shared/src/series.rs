//! Buckets, time by expression and gaps, computed in one pass over stored samples.

use std::collections::BTreeMap;

use crate::api::{NeutralUse, SeriesPoint, SourceName, TimeByExpression};
use crate::expression::{Expression, Scores};
use crate::limits::MAX_HOLD_MS;
use crate::sample::{Face, Sample, SkipReason, Skipped};

/// Mean scores by bucket. Buckets begin at multiples of the resolution since 1970; each face counts once.
#[derive(Debug)]
pub struct SeriesBuilder {
    resolution_ms: u64,
    buckets: BTreeMap<(u64, SourceName), Bucket>,
    /// The bucket that was added to last: the next sample most likely is of the same.
    at_hand: Option<((u64, SourceName), Bucket)>,
}

/// What a series takes from a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    pub scores: Scores,
    pub valence: Option<f32>,
}

impl From<Scores> for Shown {
    fn from(scores: Scores) -> Self {
        Self { scores, valence: None }
    }
}

impl From<&Face> for Shown {
    fn from(face: &Face) -> Self {
        Self { scores: face.scores, valence: face.valence }
    }
}

#[derive(Debug, Default)]
struct Bucket {
    faces: u64,
    sums: [f64; Expression::COUNT],
    /// Faces with a valence.
    valences: u64,
    valence: f64,
}

impl std::ops::AddAssign for Bucket {
    fn add_assign(&mut self, other: Self) {
        self.faces += other.faces;
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum += more;
        }
        self.valences += other.valences;
        self.valence += other.valence;
    }
}

impl SeriesBuilder {
    /// A resolution of 0 counts as 1 ms.
    pub fn new(resolution_ms: u64) -> Self {
        Self { resolution_ms: resolution_ms.max(1), buckets: BTreeMap::new(), at_hand: None }
    }

    /// Adds the faces of a sample.
    pub fn add(&mut self, source: &SourceName, at: u64, faces: impl IntoIterator<Item = impl Into<Shown>>) {
        let begin = at - at % self.resolution_ms;
        if !self.at_hand.as_ref().is_some_and(|((place, name), _)| *place == begin && name == source) {
            self.put_away();
        }
        let (_, bucket) = self.at_hand.get_or_insert_with(|| ((begin, source.clone()), Bucket::default()));
        for face in faces {
            let Shown { scores, valence } = face.into();
            bucket.faces += 1;
            if let Some(valence) = valence {
                bucket.valences += 1;
                bucket.valence += f64::from(valence);
            }
            for (sum, score) in bucket.sums.iter_mut().zip(scores.0) {
                *sum += f64::from(score);
            }
        }
    }

    /// Adds what another builder of the same resolution has.
    pub fn merge(&mut self, mut other: Self) {
        other.put_away();
        for (key, bucket) in other.buckets {
            *self.buckets.entry(key).or_default() += bucket;
        }
    }

    fn put_away(&mut self) {
        if let Some((key, bucket)) = self.at_hand.take()
            && bucket.faces > 0
        {
            *self.buckets.entry(key).or_default() += bucket;
        }
    }

    /// Buckets with a face so far, give or take one: for a caller that stops at a limit.
    pub fn reached(&self) -> usize {
        self.buckets.len()
    }

    pub fn finish(mut self) -> Vec<SeriesPoint> {
        self.put_away();
        self.buckets
            .into_iter()
            .map(|((at, source), bucket)| SeriesPoint {
                at,
                source,
                faces: bucket.faces,
                scores: Scores(bucket.sums.map(|sum| (sum / bucket.faces as f64) as f32)),
                valence: (bucket.valences > 0).then(|| (bucket.valence / bucket.valences as f64) as f32),
            })
            .collect()
    }
}

/// Time by expression of one source; samples come in order of seq.
#[derive(Debug, Default)]
pub struct TimeBuilder {
    time: TimeByExpression,
    last: Option<(u64, Vec<Option<Expression>>)>,
}

impl TimeBuilder {
    /// A sample stands until the next one, at most [`MAX_HOLD_MS`], but for what was skipped between them. A clock
    /// that goes back without a word adds nothing.
    pub fn add(&mut self, sample: &Sample) {
        if let Some((since, shown)) = self.last.take() {
            let skipped: i64 = sample.skipped.iter().fold(0, |sum, skipped| sum.saturating_add(skipped.ms));
            // Times are below 2^53, so their difference is exact.
            let between = (sample.at.cast_signed() - since.cast_signed()).saturating_sub(skipped);
            let held = u64::try_from(between).unwrap_or(0).min(MAX_HOLD_MS);
            for expression in shown {
                *slot(&mut self.time, expression) += held;
            }
        }
        self.last = Some((sample.at, sample.faces.iter().map(|face| face.expression).collect()));
    }

    pub fn finish(self) -> TimeByExpression {
        self.time
    }
}

/// What one source skipped, by reason, milliseconds: samples in any order.
#[derive(Debug, Default)]
pub struct SkippedBuilder(BTreeMap<SkipReason, i64>);

impl SkippedBuilder {
    pub fn add(&mut self, skipped: &[Skipped]) {
        for &Skipped { reason, ms } in skipped {
            let sum = self.0.entry(reason).or_default();
            *sum = sum.saturating_add(ms);
        }
    }

    pub fn finish(self) -> BTreeMap<SkipReason, i64> {
        self.0
    }
}

/// Whose scores were corrected by their own neutral face: samples in any order.
#[derive(Debug, Default)]
pub struct NeutralBuilder {
    of: u64,
    corrected: Option<NeutralUse>,
}

impl NeutralBuilder {
    pub fn add(&mut self, faces: &[Face]) {
        self.of += faces.len() as u64;
        for looks in faces.iter().filter_map(|face| face.neutral) {
            let corrected = self.corrected.get_or_insert(NeutralUse {
                faces: 0,
                of: 0,
                fewest_looks: looks,
                most_looks: looks,
            });
            corrected.faces += 1;
            corrected.fewest_looks = corrected.fewest_looks.min(looks);
            corrected.most_looks = corrected.most_looks.max(looks);
        }
    }

    /// `None` if no face was corrected.
    pub fn finish(self) -> Option<NeutralUse> {
        self.corrected.map(|corrected| NeutralUse { of: self.of, ..corrected })
    }
}

fn slot(time: &mut TimeByExpression, expression: Option<Expression>) -> &mut u64 {
    match expression {
        Some(Expression::Neutral) => &mut time.neutral,
        Some(Expression::Happiness) => &mut time.happiness,
        Some(Expression::Sadness) => &mut time.sadness,
        Some(Expression::Anger) => &mut time.anger,
        Some(Expression::Fear) => &mut time.fear,
        Some(Expression::Disgust) => &mut time.disgust,
        Some(Expression::Surprise) => &mut time.surprise,
        None => &mut time.unsure,
    }
}

impl std::ops::AddAssign for TimeByExpression {
    fn add_assign(&mut self, other: Self) {
        self.neutral += other.neutral;
        self.happiness += other.happiness;
        self.sadness += other.sadness;
        self.anger += other.anger;
        self.fear += other.fear;
        self.disgust += other.disgust;
        self.surprise += other.surprise;
        self.unsure += other.unsure;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::FaceBox;

    fn face(expression: Option<Expression>, happiness: f32) -> Face {
        Face::new(1, FaceBox::from([0.0, 0.0, 1.0, 1.0]), expression, scores(happiness))
    }

    fn scores(happiness: f32) -> Scores {
        Scores([1.0 - happiness, happiness, 0.0, 0.0, 0.0, 0.0, 0.0])
    }

    #[test]
    fn parts_are_as_good_as_the_whole() {
        let main = SourceName::default();
        let samples = || (0..40_u64).map(|seq| (seq * 300, [scores(0.5), scores(1.0)]));
        let build = |samples: &mut dyn Iterator<Item = (u64, [Scores; 2])>| {
            let mut series = SeriesBuilder::new(1_000);
            samples.for_each(|(at, faces)| series.add(&main, at, faces));
            series
        };
        let mut parts = build(&mut samples().take(17));
        parts.merge(build(&mut samples().skip(17)));
        assert_eq!(parts.finish(), build(&mut samples()).finish());
    }

    #[test]
    fn buckets_begin_at_multiples_and_average_faces() {
        let mut series = SeriesBuilder::new(1000);
        let main = SourceName::default();
        series.add(&main, 1_999, [scores(0.5), scores(1.0)]);
        series.add(&main, 1_000, [scores(0.0)]);
        series.add(&main, 2_000, [Scores([0.0; 7]); 0]);
        series.add(&main, 3_500, [scores(1.0)]);
        let points = series.finish();
        assert_eq!(points.iter().map(|p| (p.at, p.faces)).collect::<Vec<_>>(), [(1_000, 3), (3_000, 1)]);
        assert!((points[0].scores.of(Expression::Happiness) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn valence_is_averaged_over_the_faces_that_have_one() {
        let mut series = SeriesBuilder::new(1_000);
        let main = SourceName::default();
        let face = |valence| Face { valence, ..face(None, 0.5) };
        series.add(&main, 100, &[face(Some(0.5)), face(None)]);
        series.add(&main, 1_100, &[face(None)]);
        let mut later = SeriesBuilder::new(1_000);
        later.add(&main, 900, &[face(Some(-1.0))]);
        series.merge(later);
        let points = series.finish();
        assert_eq!(points.iter().map(|point| point.valence).collect::<Vec<_>>(), [Some(-0.25), None]);
        assert_eq!(points[0].faces, 3);
        let text = serde_json::to_string(&points[1]).unwrap();
        assert!(!text.contains("valence"), "{text}");
    }

    #[test]
    fn a_neutral_face_counts_where_it_was_used() {
        let looks = |looks: &[Option<u32>]| -> Vec<Face> {
            looks.iter().map(|&neutral| Face { neutral, ..face(None, 0.5) }).collect()
        };
        let mut used = NeutralBuilder::default();
        used.add(&looks(&[None, Some(9)]));
        used.add(&looks(&[Some(12), Some(7)]));
        used.add(&[]);
        let expected = NeutralUse { faces: 3, of: 4, fewest_looks: 7, most_looks: 12 };
        assert_eq!(used.finish(), Some(expected));
        let mut unused = NeutralBuilder::default();
        unused.add(&looks(&[None]));
        assert_eq!(unused.finish(), None);
    }

    #[test]
    fn samples_find_their_bucket_in_any_order() {
        let (left, right) = ("left".parse::<SourceName>().unwrap(), "right".parse().unwrap());
        let mut series = SeriesBuilder::new(1_000);
        for (source, at) in [(&left, 5), (&right, 6), (&left, 7), (&left, 2_000), (&left, 8)] {
            series.add(source, at, [scores(0.5)]);
        }
        let points = series.finish();
        let faces: Vec<_> =
            points.iter().map(|point| (point.at, point.source.as_str(), point.faces)).collect();
        assert_eq!(faces, [(0, "left", 3), (0, "right", 1), (2_000, "left", 1)]);
    }

    #[test]
    fn a_sample_stands_until_the_next_but_not_for_ever() {
        let mut time = TimeBuilder::default();
        let mut seq = 0;
        let mut add = |at, faces| {
            seq += 1;
            time.add(&Sample::new(seq, at, faces));
        };
        add(0, vec![face(Some(Expression::Happiness), 1.0)]);
        add(100, vec![face(None, 0.4)]);
        add(250, vec![]);
        add(300, vec![face(Some(Expression::Anger), 0.0)]);
        add(60_000, vec![face(Some(Expression::Anger), 0.0)]);
        add(50_000, vec![]);
        let time = time.finish();
        assert_eq!((time.happiness, time.unsure, time.anger), (100, 150, MAX_HOLD_MS));
    }

    #[test]
    fn what_was_skipped_counts_for_no_face_and_adds_up() {
        let (mut time, mut skipped) = (TimeBuilder::default(), SkippedBuilder::default());
        let mut add = |seq, at, list: &[(SkipReason, i64)]| {
            let list = list.iter().map(|&(reason, ms)| Skipped { reason, ms }).collect();
            let sample = Sample {
                skipped: list,
                ..Sample::new(seq, at, vec![face(Some(Expression::Happiness), 1.0)])
            };
            skipped.add(&sample.skipped);
            time.add(&sample);
        };
        add(1, 200_000, &[]);
        add(2, 200_100, &[]);
        add(3, 201_600, &[(SkipReason::Hidden, 1_400)]);
        // The clock was set back by two minutes, and forward again while the person paused.
        add(4, 81_700, &[(SkipReason::ClockStep, -120_000)]);
        add(5, 206_800, &[(SkipReason::ClockStep, 120_000), (SkipReason::Paused, 5_000)]);
        let skipped = skipped.finish();
        assert_eq!(time.finish().happiness, 100 + 100 + 100 + 100);
        let expected = [(SkipReason::Paused, 5_000), (SkipReason::Hidden, 1_400), (SkipReason::ClockStep, 0)];
        assert_eq!(skipped, BTreeMap::from(expected));
        assert_eq!(206_800 - 200_000, 400 + skipped.values().sum::<i64>());
    }
}
