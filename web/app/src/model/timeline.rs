//! The last half hour of one source, in columns of a quarter of a second, and what of before was asked for.
//!
//! A column keeps sums, never samples, so its size does not depend on how fast samples come. What it refuses:
//! samples older than its oldest column, unless they are put before it as such, and clocks that jump back behind it.

use std::collections::VecDeque;

use mien_shared::limits::MAX_HOLD_MS;
use mien_shared::{Expression, Sample, Scores, SkipReason};

use super::holes::Holes;

/// Width of a column. Fine enough that a short smile is seen, coarse enough to draw on every frame.
pub const COLUMN_MS: u64 = 250;
/// Half an hour: what a live chart keeps by itself.
pub const MAX_COLUMNS: usize = 7_200;
/// Twelve hours, some 7 MB: what it keeps where earlier parts were put before it.
pub const MOST_COLUMNS: usize = 24 * MAX_COLUMNS;
/// Flags on one timeline. Past it the oldest goes; the relay keeps all.
const MAX_FLAGS: usize = 500;

#[derive(Clone, Debug, Default, PartialEq)]
struct Column {
    samples: u32,
    faces: u32,
    unsure: u32,
    sums: [f32; Expression::COUNT],
    /// Why there is no sample, where the source said so.
    skipped: Option<SkipReason>,
}

impl Column {
    fn add(&mut self, other: &Self) {
        self.skipped = self.skipped.or(other.skipped);
        self.samples += other.samples;
        self.faces += other.faces;
        self.unsure += other.unsure;
        for (sum, value) in self.sums.iter_mut().zip(&other.sums) {
            *sum += value;
        }
    }

    fn of(sample: &Sample) -> Self {
        let mut column = Self { samples: 1, faces: sample.faces.len() as u32, ..Self::default() };
        for face in &sample.faces {
            if face.expression.is_none() {
                column.unsure += 1;
                continue;
            }
            for (sum, &score) in column.sums.iter_mut().zip(&face.scores.0) {
                *sum += score;
            }
        }
        column
    }
}

/// What a stretch of time showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown {
    /// No sample: lost on the way, or before the start.
    Gap,
    /// Nothing was analysed, for this reason.
    Skipped(SkipReason),
    /// Samples, but nobody in view.
    Nobody,
    Faces {
        /// Share of faces that the analyser abstained on, 0 … 1.
        unsure: f32,
        /// Mean scores of the others; all 0 when there are none.
        scores: Scores,
    },
}

impl Shown {
    fn of(column: &Column) -> Self {
        if column.samples == 0 {
            return column.skipped.map_or(Self::Gap, Self::Skipped);
        }
        if column.faces == 0 {
            return Self::Nobody;
        }
        let certain = (column.faces - column.unsure).max(1) as f32;
        Self::Faces {
            unsure: column.unsure as f32 / column.faces as f32,
            scores: Scores(column.sums.map(|sum| sum / certain)),
        }
    }

    /// Whether there is nothing to show, whatever the reason.
    pub fn is_gap(&self) -> bool {
        matches!(self, Self::Gap | Self::Skipped(_))
    }

    /// The likeliest expression with its mean score; none where abstentions prevail or nobody is in view.
    pub fn leading(&self) -> Option<(Expression, f32)> {
        match self {
            Self::Faces { unsure, scores } if *unsure < 0.5 => Some(scores.top()),
            _ => None,
        }
    }
}

/// One stretch of the chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slice {
    /// Where it begins, Unix milliseconds.
    pub at_ms: u64,
    pub width_ms: u64,
    pub shown: Shown,
}

/// A marker on the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Flag {
    pub at_ms: u64,
    pub label: String,
}

#[derive(Clone, Debug)]
pub struct Timeline {
    /// Number of the oldest column since 1970.
    first: u64,
    columns: VecDeque<Column>,
    /// Columns to keep.
    keep: usize,
    /// Seq and time of the first sample, as long as it is here.
    begin: Option<(u64, u64)>,
    last: Option<(u64, u64, Column)>,
    flags: VecDeque<Flag>,
}

impl Default for Timeline {
    fn default() -> Self {
        let (columns, flags) = (VecDeque::new(), VecDeque::new());
        Self { first: 0, columns, keep: MAX_COLUMNS, begin: None, last: None, flags }
    }
}

impl Timeline {
    /// A sample stands until the next one, at most [`MAX_HOLD_MS`], as it does in the relay's summary; a jump in
    /// seq is a gap whatever its length, and so is what the source has skipped.
    pub fn add(&mut self, sample: &Sample) {
        self.follow_clock(sample);
        let index = sample.at / COLUMN_MS;
        let column = Column::of(sample);
        if self.columns.is_empty() {
            (self.first, self.begin) = (index, Some((sample.seq, sample.at)));
        }
        if index < self.first {
            return;
        }
        let next = self.first + self.columns.len() as u64;
        if index.saturating_sub(next) > MAX_COLUMNS as u64 {
            self.columns.clear();
            (self.first, self.begin, self.keep) = (index, Some((sample.seq, sample.at)), MAX_COLUMNS);
        } else if index >= next {
            let holes = Holes::before(sample);
            let filler = self.held_until(sample.seq, holes.begin_ms());
            self.columns.extend((next..index).map(|place| {
                match holes.reason_at(place * COLUMN_MS + COLUMN_MS / 2) {
                    Some(reason) => Column { skipped: Some(reason), ..Column::default() },
                    None => filler.clone(),
                }
            }));
        }
        let place = (index - self.first) as usize;
        if place >= self.columns.len() {
            self.columns.push_back(Column::default());
        }
        self.columns[place].add(&column);
        self.trim();
        self.last = Some((sample.seq, sample.at, column));
    }

    /// Where the source's clock was set before this sample, what came before is dated as if it had been set already:
    /// else nothing would move until a clock that was set back is where it was. Flags stay where the relay has them.
    fn follow_clock(&mut self, sample: &Sample) {
        let steps = sample.skipped.iter().filter(|skipped| skipped.reason == SkipReason::ClockStep);
        let step: i64 = steps.map(|skipped| skipped.ms).sum();
        let Some((seq, at, _)) = &mut self.last else { return };
        if sample.seq > *seq {
            *at = at.saturating_add_signed(step);
            self.first = self.first.saturating_add_signed(step / COLUMN_MS as i64);
        }
    }

    /// What stands between the last sample and this one.
    fn held_until(&self, seq: u64, at: u64) -> Column {
        let last = self.last.as_ref();
        let held =
            last.filter(|(before, since, _)| seq == before + 1 && at.saturating_sub(*since) <= MAX_HOLD_MS);
        held.map(|(_, _, column)| column.clone()).unwrap_or_default()
    }

    fn trim(&mut self) {
        let over = self.columns.len().saturating_sub(self.keep);
        if over > 0 {
            self.columns.drain(..over);
            self.first += over as u64;
            self.begin = None;
        }
    }

    /// Puts samples of the time before [`Self::earlier_than`] in front, in order of seq. They stay, up to
    /// [`MOST_COLUMNS`] in all; of more than that, and of a gap as long, the oldest are left out.
    pub fn prepend(&mut self, samples: &[Sample]) {
        let mut earlier = Self { keep: MOST_COLUMNS, ..Self::default() };
        for sample in samples {
            earlier.add(sample);
        }
        if earlier.is_empty() {
            return;
        }
        if self.is_empty() {
            let flags = std::mem::take(&mut self.flags);
            *self = Self { flags, ..earlier };
            return;
        }
        let filler = self.begin.map(|(seq, at)| earlier.held_until(seq, at)).unwrap_or_default();
        let end = earlier.first + earlier.columns.len() as u64;
        let between = usize::try_from(self.first.saturating_sub(end)).unwrap_or(usize::MAX);
        if between.saturating_add(self.columns.len()) > MOST_COLUMNS {
            return;
        }
        for (place, column) in self.columns.iter_mut().enumerate() {
            // The column at the seam is of both.
            let Some(index) = (self.first + place as u64).checked_sub(earlier.first) else { continue };
            match earlier.columns.get(index as usize) {
                Some(other) => column.add(other),
                None => break,
            }
        }
        let before = usize::try_from(self.first.saturating_sub(earlier.first)).unwrap_or(usize::MAX);
        let mut columns: VecDeque<_> = earlier.columns.into_iter().take(before).collect();
        columns.extend(std::iter::repeat_n(filler, between));
        columns.append(&mut self.columns);
        self.first = self.first.min(earlier.first);
        self.columns = columns;
        self.begin = earlier.begin;
        self.keep = self.columns.len().clamp(self.keep, MOST_COLUMNS);
        self.trim();
    }

    /// The time before which the relay may have samples that are not here; `None` where there are none, or no room.
    pub fn earlier_than(&self) -> Option<u64> {
        match self.begin {
            _ if self.is_empty() || self.columns.len() >= MOST_COLUMNS => None,
            Some((1, _)) => None,
            Some((_, at)) => Some(at),
            None => Some(self.oldest_ms()),
        }
    }

    /// Puts a flag at its place in time.
    pub fn flag(&mut self, flag: Flag) {
        let place = self.flags.partition_point(|other| other.at_ms <= flag.at_ms);
        self.flags.insert(place, flag);
        if self.flags.len() > MAX_FLAGS {
            self.flags.pop_front();
        }
    }

    /// Takes a flag away again; one of two that are alike.
    pub fn unflag(&mut self, flag: &Flag) {
        if let Some(place) = self.flags.iter().position(|other| other == flag) {
            self.flags.remove(place);
        }
    }

    pub fn flags(&self) -> impl Iterator<Item = &Flag> {
        self.flags.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Begin of the oldest column, Unix milliseconds.
    pub fn oldest_ms(&self) -> u64 {
        self.first * COLUMN_MS
    }

    /// End of the newest column, Unix milliseconds.
    pub fn newest_ms(&self) -> u64 {
        (self.first + self.columns.len() as u64) * COLUMN_MS
    }

    /// What the column at this time showed.
    pub fn shown_at(&self, at_ms: u64) -> Shown {
        (at_ms / COLUMN_MS)
            .checked_sub(self.first)
            .and_then(|place| self.columns.get(place as usize))
            .map_or(Shown::Gap, Shown::of)
    }

    /// The columns that touch `from_ms … to_ms`, merged so that no more than about `at_most` come out. Merged
    /// groups begin at multiples of their width since 1970, so that they do not flicker while time moves on.
    pub fn slices(&self, from_ms: u64, to_ms: u64, at_most: usize) -> Vec<Slice> {
        let wanted = to_ms.saturating_sub(from_ms).div_ceil(COLUMN_MS);
        let group = wanted.div_ceil(at_most.max(1) as u64).max(1);
        self.grouped(from_ms, to_ms, group)
    }

    fn grouped(&self, from_ms: u64, to_ms: u64, group: u64) -> Vec<Slice> {
        let end = self.first + self.columns.len() as u64;
        let from = (from_ms / COLUMN_MS).max(self.first);
        let to = to_ms.div_ceil(COLUMN_MS).min(end);
        let mut slices = Vec::new();
        let mut at = from / group * group;
        while at < to {
            let mut sum = Column::default();
            for index in at.max(self.first)..(at + group).min(end) {
                if let Some(column) = self.columns.get((index - self.first) as usize) {
                    sum.add(column);
                }
            }
            let slice = Slice { at_ms: at * COLUMN_MS, width_ms: group * COLUMN_MS, shown: Shown::of(&sum) };
            slices.push(slice);
            at += group;
        }
        slices
    }

    /// The newest `rows` stretches of `step_ms`, newest first, for the table view.
    pub fn table(&self, step_ms: u64, rows: usize) -> Vec<Slice> {
        let group = (step_ms / COLUMN_MS).max(1);
        let newest = self.newest_ms();
        let from = newest.saturating_sub(group * COLUMN_MS * rows as u64);
        let mut slices = self.grouped(from, newest, group);
        slices.reverse();
        slices.truncate(rows);
        slices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::{Face, FaceBox, Skipped};

    const T0: u64 = 1_763_907_600_000;

    fn face(expression: Option<Expression>) -> Face {
        let mut scores = [0.0; 7];
        scores[expression.unwrap_or(Expression::Neutral).index()] = 1.0;
        Face {
            id: 1,
            bounds: FaceBox::from([0.0, 0.0, 1.0, 1.0]),
            expression,
            scores: Scores(scores),
            quality: None,
        }
    }

    fn sample(seq: u64, offset_ms: u64, faces: Vec<Face>) -> Sample {
        Sample::new(seq, T0 + offset_ms, faces)
    }

    fn happy() -> Vec<Face> {
        vec![face(Some(Expression::Happiness))]
    }

    #[test]
    fn a_clock_that_is_set_moves_what_was_and_the_newest_stays_the_newest() {
        for step in [-120_000_i64, 120_000] {
            let mut line = Timeline::default();
            line.add(&sample(1, 200_000, happy()));
            line.add(&sample(2, 200_250, Vec::new()));
            let set = Skipped { reason: SkipReason::ClockStep, ms: step };
            let at = (200_500 + step) as u64;
            line.add(&Sample { skipped: vec![set], ..sample(3, at, happy()) });
            assert_eq!(line.newest_ms(), T0 + at + COLUMN_MS);
            assert!(matches!(line.shown_at(T0 + at), Shown::Faces { .. }));
            assert_eq!(line.shown_at(T0 + at - 250), Shown::Nobody);
            assert!(matches!(line.shown_at(T0 + at - 500), Shown::Faces { .. }));
            assert_eq!(line.slices(line.oldest_ms(), line.newest_ms(), 99).len(), 3, "no gap, by {step} ms");
        }
    }

    #[test]
    fn columns_average_and_tell_abstentions_apart() {
        let mut line = Timeline::default();
        line.add(&sample(1, 0, happy()));
        line.add(&sample(2, 100, vec![face(None)]));
        let Shown::Faces { unsure, scores } = line.shown_at(T0) else { panic!("faces were there") };
        assert_eq!((unsure, scores.of(Expression::Happiness)), (0.5, 1.0));
        line.add(&sample(3, 250, vec![]));
        assert_eq!(line.shown_at(T0 + 250), Shown::Nobody);
        assert_eq!(line.shown_at(T0 + 500), Shown::Gap);
        assert_eq!(line.shown_at(T0 - 1), Shown::Gap);
    }

    #[test]
    fn a_slow_source_is_no_gap_but_silence_and_lost_samples_are() {
        let mut line = Timeline::default();
        line.add(&sample(1, 0, happy()));
        line.add(&sample(2, 1_000, happy()));
        assert!(matches!(line.shown_at(T0 + 500), Shown::Faces { .. }), "held between slow samples");
        line.add(&sample(3, 4_000, happy()));
        assert_eq!(line.shown_at(T0 + 2_000), Shown::Gap, "silence");
        line.add(&sample(9, 5_000, happy()));
        assert_eq!(line.shown_at(T0 + 4_500), Shown::Gap, "seq jumped");
    }

    #[test]
    fn what_was_skipped_is_a_gap_with_its_reason_however_short() {
        let skipped = |seq, offset_ms, reason, ms| Sample {
            skipped: vec![mien_shared::Skipped { reason, ms }],
            ..sample(seq, offset_ms, happy())
        };
        let mut line = Timeline::default();
        line.add(&sample(1, 0, happy()));
        line.add(&skipped(2, 1_100, SkipReason::Paused, 1_000));
        assert_eq!(line.shown_at(T0 + 500), Shown::Skipped(SkipReason::Paused));
        line.add(&skipped(3, 13_100, SkipReason::Hidden, 11_000));
        assert!(matches!(line.shown_at(T0 + 1_600), Shown::Faces { .. }), "held until it was hidden");
        assert_eq!(line.shown_at(T0 + 2_500), Shown::Skipped(SkipReason::Hidden));
        let table = line.table(5_000, 3);
        assert_eq!(table[1].shown, Shown::Skipped(SkipReason::Hidden));
        assert!(table[1].shown.is_gap() && Shown::Gap.is_gap() && !Shown::Nobody.is_gap());
        line.add(&skipped(4, 14_000, SkipReason::ClockStep, 700));
        assert!(
            matches!(line.shown_at(T0 + 13_500), Shown::Faces { .. }),
            "a step of the clock takes no time"
        );
    }

    #[test]
    fn it_stays_bounded_whatever_the_clock_does() {
        let mut line = Timeline::default();
        for second in 0..4_000 {
            line.add(&sample(second + 1, second * 1_000, happy()));
        }
        assert_eq!(line.columns.len(), MAX_COLUMNS);
        let newest = line.newest_ms();
        line.add(&sample(4_001, 0, happy()));
        assert_eq!(line.newest_ms(), newest, "too old");
        line.add(&sample(4_002, 1 << 50, happy()));
        assert_eq!(line.columns.len(), 1, "a day later starts anew");
    }

    /// Whether a stretch came as it was taken or was put in front later, it looks the same.
    #[test]
    fn what_is_put_in_front_joins_without_a_seam() {
        let samples: Vec<Sample> = (0..400)
            .map(|tick| sample(tick + 1, tick * 330, if tick % 3 == 0 { vec![] } else { happy() }))
            .collect();
        let mut whole = Timeline::default();
        for sample in &samples {
            whole.add(sample);
        }
        for cut in [1, 7, 200, 399] {
            let mut line = Timeline::default();
            for sample in &samples[cut..] {
                line.add(sample);
            }
            assert_eq!(line.earlier_than(), Some(samples[cut].at));
            line.prepend(&samples[..cut]);
            assert_eq!((line.first, &line.columns), (whole.first, &whole.columns), "at {cut}");
            assert_eq!(line.earlier_than(), None, "it begins with the first");
            line.add(&sample(401, 132_000, happy()));
        }
        let mut empty = Timeline::default();
        empty.prepend(&samples);
        empty.prepend(&[]);
        assert_eq!(empty.columns, whole.columns);
    }

    #[test]
    fn what_was_asked_for_stays_within_bounds() {
        let mut line = Timeline::default();
        let hour = 3_600_000;
        line.add(&sample(900_000, 20 * hour, happy()));
        // A pause between them is a gap.
        line.prepend(&[sample(899_000, 19 * hour, happy()), sample(899_001, 19 * hour + 100, happy())]);
        assert_eq!(line.shown_at(T0 + 19 * hour + 500_000), Shown::Gap);
        assert_eq!(line.earlier_than(), Some(T0 + 19 * hour));
        for second in 0..3_000 {
            line.add(&sample(900_001 + second, 20 * hour + second * 1_000, happy()));
        }
        assert!(line.columns.len() > MAX_COLUMNS / 2);
        assert_eq!(line.oldest_ms(), T0 + 20 * hour + 2_999_000 + 250 - 14_401 * 250, "as long as it was");
        assert_eq!(line.earlier_than(), Some(line.oldest_ms()), "what went can be asked for again");
        let before = line.clone();
        line.prepend(&[sample(7, hour, happy())]);
        assert_eq!(line.columns, before.columns, "too far away");
        let long: Vec<Sample> =
            (0..9 * 3_600).map(|second| sample(second + 2, 11 * hour + second * 1_000, happy())).collect();
        line.prepend(&long);
        assert!(line.columns.len() <= MOST_COLUMNS && line.columns.len() > 8 * 14_400);
    }

    #[test]
    fn merged_slices_keep_their_place_while_time_moves() {
        let mut line = Timeline::default();
        for tick in 0..400 {
            line.add(&sample(tick + 1, tick * 250, happy()));
        }
        let slices = line.slices(T0, T0 + 100_000, 50);
        assert!(slices.len() <= 51);
        assert!(slices.iter().all(|slice| slice.at_ms % slice.width_ms == 0));
        let later = line.slices(T0 + 250, T0 + 100_250, 50);
        assert_eq!(slices[1], later[1]);
    }

    #[test]
    fn flags_stand_in_order_of_time() {
        let mut line = Timeline::default();
        for (at_ms, label) in [(5, "b"), (1, "a"), (5, "c")] {
            line.flag(Flag { at_ms, label: label.to_owned() });
        }
        line.unflag(&Flag { at_ms: 5, label: "a".to_owned() });
        assert_eq!(line.flags().map(|flag| flag.label.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        line.unflag(&Flag { at_ms: 5, label: "b".to_owned() });
        assert_eq!(line.flags().map(|flag| flag.label.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn the_table_starts_with_the_newest() {
        let mut line = Timeline::default();
        for second in 0..30 {
            line.add(&sample(second + 1, second * 1_000, happy()));
        }
        let rows = line.table(10_000, 2);
        assert_eq!(rows.len(), 2);
        assert!(rows[0].at_ms > rows[1].at_ms);
        assert_eq!(rows[0].shown.leading().map(|(expression, _)| expression), Some(Expression::Happiness));
    }
}
