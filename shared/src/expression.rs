//! The seven expressions and a score for each, in the one order that every list uses.

use serde::{Deserialize, Serialize};

/// A facial expression: what a face shows, not what a person feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Expression {
    Neutral,
    Happiness,
    Sadness,
    Anger,
    Fear,
    Disgust,
    Surprise,
}

impl Expression {
    pub const COUNT: usize = 7;
    pub const ALL: [Self; Self::COUNT] = [
        Self::Neutral,
        Self::Happiness,
        Self::Sadness,
        Self::Anger,
        Self::Fear,
        Self::Disgust,
        Self::Surprise,
    ];

    /// The name on the wire, in exports and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Happiness => "happiness",
            Self::Sadness => "sadness",
            Self::Anger => "anger",
            Self::Fear => "fear",
            Self::Disgust => "disgust",
            Self::Surprise => "surprise",
        }
    }

    /// Place in [`Expression::ALL`], and so in every list of scores.
    pub const fn index(self) -> usize {
        self as usize
    }

    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Probability of each expression, in the order of [`Expression::ALL`]: 7 numbers in 0 … 1 that sum to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scores(pub [f32; Expression::COUNT]);

impl Scores {
    /// The likeliest expression and its probability; the earlier one on a tie.
    pub fn top(&self) -> (Expression, f32) {
        let mut best = (Expression::Neutral, self.0[0]);
        for (expression, &score) in Expression::ALL.into_iter().zip(&self.0).skip(1) {
            if score > best.1 {
                best = (expression, score);
            }
        }
        best
    }

    pub fn of(&self, expression: Expression) -> f32 {
        self.0[expression.index()]
    }

    /// How pleasant the shown expression is, −1 … 1: happiness less the strongest of sadness, anger, fear and disgust,
    /// as FaceReader defines it (Lewinski, den Uyl and Butler 2014, doi:10.1037/npe0000028).
    pub fn valence(&self) -> f32 {
        let negative = [Expression::Sadness, Expression::Anger, Expression::Fear, Expression::Disgust]
            .map(|expression| self.of(expression));
        self.of(Expression::Happiness) - negative.into_iter().fold(0.0, f32::max)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::{ArrayBuilder, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::{Expression, Scores};
    use crate::schema::{components, list, number};

    components! {
        /// The expressions, in the order of every list of scores.
        pub(crate) Expressions: list::<Expression>(Expression::COUNT..=Expression::COUNT), of Expression;
    }

    impl PartialSchema for Scores {
        fn schema() -> RefOr<Schema> {
            let list = ArrayBuilder::new()
                .items(number(0.0..=1.0).build())
                .min_items(Some(Expression::COUNT))
                .max_items(Some(Expression::COUNT))
                .description(Some(
                    "Probability of each expression, in the order of `expressions`; their sum is 1 ± 0.05.",
                ));
            Schema::from(list.build()).into()
        }
    }

    impl ToSchema for Scores {}
}

#[cfg(feature = "schema")]
pub(crate) use schema::Expressions;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_order_and_json_agree() {
        for (index, expression) in Expression::ALL.into_iter().enumerate() {
            assert_eq!(expression.index(), index);
            assert_eq!(Expression::from_index(index), Some(expression));
            assert_eq!(serde_json::to_string(&expression).unwrap(), format!("\"{}\"", expression.name()));
        }
        assert_eq!(Expression::from_index(7), None);
    }

    #[test]
    fn valence_is_happiness_less_the_strongest_negative() {
        for (scores, expected) in [
            ([0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1.0),
            ([0.0, 0.2, 0.1, 0.5, 0.1, 0.1, 0.0], -0.3),
            ([0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5], 0.0),
        ] {
            assert!((Scores(scores).valence() - expected).abs() < 1e-6, "{scores:?}");
        }
    }

    #[test]
    fn top_takes_the_first_on_a_tie() {
        assert_eq!(Scores([0.1, 0.4, 0.4, 0.1, 0.0, 0.0, 0.0]).top(), (Expression::Happiness, 0.4));
    }
}
