//! What a stretch of time showed.

use mien_shared::{Expression, Sample, Scores, SkipReason};

use crate::model::face::valence;

/// Width of a column. Fine enough that a short smile is seen, coarse enough to draw on every frame.
pub const COLUMN_MS: u64 = 250;

/// Sums over samples, not samples, so that its size does not depend on their rate.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    samples: u32,
    faces: u32,
    unsure: u32,
    sums: [f32; Expression::COUNT],
    valence: f32,
    /// Why there is no sample, if the source said so.
    skipped: Option<SkipReason>,
}

impl Column {
    pub(super) fn skipped(reason: SkipReason) -> Self {
        Self { skipped: Some(reason), ..Self::default() }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.skipped = self.skipped.or(other.skipped);
        self.samples += other.samples;
        self.faces += other.faces;
        self.unsure += other.unsure;
        self.valence += other.valence;
        for (sum, value) in self.sums.iter_mut().zip(&other.sums) {
            *sum += value;
        }
    }

    pub(super) fn of(sample: &Sample) -> Self {
        let mut column = Self { samples: 1, faces: sample.faces.len() as u32, ..Self::default() };
        for face in &sample.faces {
            let Some(valence) = valence(face) else {
                column.unsure += 1;
                continue;
            };
            column.valence += valence;
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
        /// Their mean valence, −1 … 1; `None` when there are none.
        valence: Option<f32>,
    },
}

impl Shown {
    pub(super) fn of(column: &Column) -> Self {
        if column.samples == 0 {
            return column.skipped.map_or(Self::Gap, Self::Skipped);
        }
        if column.faces == 0 {
            return Self::Nobody;
        }
        let certain = column.faces - column.unsure;
        let mean = |sum: f32| sum / certain.max(1) as f32;
        Self::Faces {
            unsure: column.unsure as f32 / column.faces as f32,
            scores: Scores(column.sums.map(mean)),
            valence: (certain > 0).then(|| mean(column.valence)),
        }
    }

    /// Whether there is nothing to show, whatever the reason.
    pub fn is_gap(&self) -> bool {
        matches!(self, Self::Gap | Self::Skipped(_))
    }

    /// Mean valence of the faces that were judged; `None` if abstentions prevail or nobody is in view.
    pub fn valence(&self) -> Option<f32> {
        match self {
            Self::Faces { unsure, valence, .. } if *unsure < 0.5 => *valence,
            _ => None,
        }
    }

    /// The likeliest expression with its mean score; `None` if abstentions prevail or nobody is in view.
    pub fn leading(&self) -> Option<(Expression, f32)> {
        match self {
            Self::Faces { unsure, scores, .. } if *unsure < 0.5 => Some(scores.top()),
            _ => None,
        }
    }
}
