//! How an expression is said and coloured, once for bars, overlay, timeline and table.
//!
//! The words tell what a face looks like; none of them claims what a person feels.

use mien_shared::{Expression, SkipReason};

use super::format;

/// The label of a bar or a table column.
pub const fn noun(expression: Expression) -> &'static str {
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
pub const fn skipped(reason: SkipReason) -> &'static str {
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
pub const fn looked(expression: Option<Expression>) -> &'static str {
    match expression {
        Some(Expression::Neutral) => "looked neutral",
        Some(Expression::Happiness) => "looked happy",
        Some(Expression::Sadness) => "looked sad",
        Some(Expression::Anger) => "looked angry",
        Some(Expression::Fear) => "looked afraid",
        Some(Expression::Disgust) => "looked disgusted",
        Some(Expression::Surprise) => "looked surprised",
        None => "unsure",
    }
}

/// One line about samples that wait for the relay, and where.
pub fn waiting(pending: u64, in_memory: bool) -> String {
    let count = format::count(pending, "sample is", "samples are");
    if in_memory {
        format!("{count} not stored yet, and only this page has them: keep it open until they are stored.")
    } else {
        format!("{count} still on the way; nothing was lost.")
    }
}

/// The expression's colour everywhere: Okabe and Ito's set, told apart by colour-blind people.
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
    fn the_only_copy_is_said_to_be_the_only_one() {
        assert!(waiting(1, false).replace('\u{a0}', " ").starts_with("1 sample is still on the way"));
        let only = waiting(12, true);
        assert!(only.contains("only this page") && only.contains("keep it open"), "{only}");
        assert!(!only.contains("nothing was lost"), "{only}");
    }

    #[test]
    fn every_expression_has_its_own_words_and_colour() {
        let mut colors: Vec<_> = Expression::ALL.into_iter().map(color).collect();
        colors.sort_unstable();
        colors.dedup();
        assert_eq!(colors.len(), Expression::COUNT);
        for expression in Expression::ALL {
            assert_eq!(noun(expression).to_lowercase(), expression.name());
            assert!(looks(Some(expression)).starts_with("looks "));
            let past = looks(Some(expression)).replace("looks", "looked");
            assert_eq!(looked(Some(expression)), past);
        }
    }
}
