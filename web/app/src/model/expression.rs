//! How an expression is named and coloured, once for bars, overlay, timeline and table.
//!
//! The words say what a face looks like; none of them claims what a person feels.

use mien_shared::{Expression, SkipReason};

/// The label of a bar or a table column.
pub const fn label(expression: Expression) -> &'static str {
    match expression {
        Expression::Neutral => "Neutral",
        Expression::Happiness => "Happiness",
        Expression::Sadness => "Sadness",
        Expression::Anger => "Anger",
        Expression::Fear => "Fear",
        Expression::Disgust => "Disgust",
        Expression::Surprise => "Surprise",
    }
}

/// What the face looks like, or that the analyser abstains.
pub const fn looks(expression: Option<Expression>) -> &'static str {
    match expression {
        Some(Expression::Neutral) => "looks neutral",
        Some(Expression::Happiness) => "looks happy",
        Some(Expression::Sadness) => "looks sad",
        Some(Expression::Anger) => "looks angry",
        Some(Expression::Fear) => "looks afraid",
        Some(Expression::Disgust) => "looks disgusted",
        Some(Expression::Surprise) => "looks surprised",
        None => "unsure",
    }
}

/// Why nothing was analysed for a while, as a label.
pub const fn skip_reason(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Paused => "Paused",
        SkipReason::Hidden => "Tab hidden",
        SkipReason::Throttled => "Browser too busy",
        SkipReason::Stalled => "No pictures",
        SkipReason::Full => "No room left",
        SkipReason::ClockStep => "Clock set",
        SkipReason::Other => "Other reasons",
    }
}

/// What the face looked like when it was last seen.
pub fn looked(expression: Option<Expression>) -> String {
    looks(expression).replacen("looks", "looked", 1)
}

/// The expression's colour everywhere: Okabe and Ito's set, which colour-blind people can tell apart.
pub const fn color(expression: Expression) -> &'static str {
    match expression {
        Expression::Neutral => "#8a8f98",
        Expression::Happiness => "#e69f00",
        Expression::Sadness => "#0072b2",
        Expression::Anger => "#d55e00",
        Expression::Fear => "#cc79a7",
        Expression::Disgust => "#009e73",
        Expression::Surprise => "#56b4e9",
    }
}

/// Frame and tag of a face that the analyser abstains on.
pub const UNSURE_COLOR: &str = "#c9ccd1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_has_its_own_words_and_colour() {
        let mut colors: Vec<_> = Expression::ALL.into_iter().map(color).collect();
        colors.sort_unstable();
        colors.dedup();
        assert_eq!(colors.len(), Expression::COUNT);
        for expression in Expression::ALL {
            assert_eq!(label(expression).to_lowercase(), expression.name());
            assert!(looks(Some(expression)).starts_with("looks "));
        }
        assert_eq!(looked(Some(Expression::Happiness)), "looked happy");
        assert_eq!(looked(None), looks(None));
    }
}
