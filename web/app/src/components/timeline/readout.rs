//! The values at one instant of a timeline, in words.

use crate::browser;
use crate::model::face::by_score;
use crate::model::timeline::{COLUMN_MS, Shown, Timeline, ValenceLine};
use crate::model::{expression, format};

/// The values at an instant in one line, the strongest first.
pub(super) fn describe(timeline: &Timeline, at_ms: u64, live: bool, line: ValenceLine) -> String {
    let when = if live {
        format::ago(timeline.newest_ms().saturating_sub(at_ms + COLUMN_MS))
    } else {
        browser::time_of_day(at_ms)
    };
    let marker = timeline.markers().find(|marker| marker.at_ms.abs_diff(at_ms) <= 2 * COLUMN_MS);
    let marker = marker.map(|marker| format!(" · “{}”", marker.label)).unwrap_or_default();
    let shown = timeline.shown_at(at_ms);
    let values = match shown {
        Shown::Gap => "no data".to_owned(),
        Shown::Skipped(reason) => {
            format!("nothing analysed ({})", expression::skip_reason(reason).to_lowercase())
        }
        Shown::Nobody => "nobody in view".to_owned(),
        Shown::Faces { unsure, .. } if unsure > 0.99 => "unsure".to_owned(),
        Shown::Faces { unsure, scores, .. } => {
            let mut parts: Vec<_> = by_score(&scores)
                .into_iter()
                .filter(|expression| scores.of(*expression) >= 0.05)
                .take(3)
                .map(|expression| {
                    format!("{} {}", expression::label(expression), format::percent(scores.of(expression)))
                })
                .collect();
            if unsure >= 0.05 {
                parts.push(format!("unsure {}", format::percent(unsure)));
            }
            if let Some(valence) = shown.valence().filter(|_| line.is_shown()) {
                parts.push(format!("valence {}", format::signed(valence)));
            }
            parts.join(", ")
        }
    };
    format!("{when}: {values}{marker}")
}
