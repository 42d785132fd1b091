//! The CSV form of a sample: a row for each face, one row with empty face fields for a sample without faces.
//! Lines end with a bare line feed, which every reader of RFC 4180 takes and `cut` and `awk` prefer.
//!
//! Text is quoted, numbers are not: a source may be called `007`, `null` or `1e5`, and a reader that respects quotes can
//! tell. No text contains quotes. `skipped` is `reason:milliseconds`, separated by semicolons.
//!
//! A spreadsheet takes text that begins like a formula for one, even in quotes. Of all text here only the name of a source
//! can: `-a` is written as `'-a`, which the spreadsheet shows as `-a`.

use std::fmt::Write;

use mien_shared::api::StoredSample;
use mien_shared::{Expression, Face, Sample, Skipped};

/// The header line.
pub(super) fn header() -> String {
    let mut line = String::from("source,seq,at,face,left,top,width,height,expression");
    for expression in Expression::ALL {
        line.push(',');
        line.push_str(expression.name());
    }
    line.push_str(",quality,media_ms,skipped\n");
    line
}

/// Appends the rows of one sample.
pub(super) fn write_sample(out: &mut String, stored: &StoredSample) {
    let StoredSample { source, sample } = stored;
    if sample.faces.is_empty() {
        write_start(out, stored);
        // face, the four sides of the box, expression, the scores, quality.
        for _ in 0..Expression::COUNT + 7 {
            out.push(',');
        }
        write_end(out, sample);
        return;
    }
    debug_assert!(!source.as_str().contains('"'));
    for face in &sample.faces {
        write_start(out, stored);
        write_face(out, face);
        write_end(out, sample);
    }
}

fn write_start(out: &mut String, stored: &StoredSample) {
    let defused = if stored.source.as_str().starts_with('-') { "'" } else { "" };
    push(out, format_args!("\"{defused}{}\",{},{}", stored.source, stored.sample.seq, stored.sample.at));
}

fn write_face(out: &mut String, face: &Face) {
    push(out, format_args!(",{}", face.id));
    for side in <[f32; 4]>::from(face.bounds) {
        push(out, format_args!(",{side}"));
    }
    out.push(',');
    if let Some(expression) = face.expression {
        push(out, format_args!("\"{expression}\""));
    }
    for score in face.scores.0 {
        push(out, format_args!(",{score}"));
    }
    out.push(',');
    if let Some(quality) = face.quality {
        push(out, format_args!("{quality}"));
    }
}

/// What belongs to the sample, and so stands in each of its rows.
fn write_end(out: &mut String, sample: &Sample) {
    out.push(',');
    if let Some(position) = sample.media_ms {
        push(out, format_args!("{position}"));
    }
    out.push(',');
    for (place, Skipped { reason, ms }) in sample.skipped.iter().enumerate() {
        let before = if place > 0 { ';' } else { '"' };
        push(out, format_args!("{before}{}:{ms}", reason.name()));
    }
    if !sample.skipped.is_empty() {
        out.push('"');
    }
    out.push('\n');
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String has no way to fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::{Scores, SkipReason, SourceName};

    fn stored(faces: Vec<Face>) -> StoredSample {
        StoredSample { source: SourceName::default(), sample: Sample::new(4, 99, faces) }
    }

    fn face(expression: Option<Expression>, quality: Option<f32>) -> Face {
        Face {
            quality,
            ..Face::new(
                3,
                [0.31, 0.22, 0.18, 0.24].into(),
                expression,
                Scores([0.05, 0.91, 0.01, 0.01, 0.01, 0.0, 0.01]),
            )
        }
    }

    fn rows(faces: Vec<Face>) -> String {
        let mut out = String::new();
        write_sample(&mut out, &stored(faces));
        out
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (source, cell) in [("-1-1", "\"'-1-1\""), ("a-b", "\"a-b\""), ("_", "\"_\""), ("1e5", "\"1e5\"")]
        {
            let mut stored = stored(vec![face(Some(Expression::Fear), None)]);
            stored.source = source.parse().unwrap();
            stored.sample.skipped = vec![Skipped { reason: SkipReason::ClockStep, ms: -1 }];
            for faces in [stored.sample.faces.clone(), Vec::new()] {
                stored.sample.faces = faces;
                let mut out = String::new();
                write_sample(&mut out, &stored);
                assert!(out.starts_with(&format!("{cell},4,99,")), "{out}");
                let runs =
                    |cell: &str| cell.starts_with("\"-") || cell.starts_with(['=', '+', '@', '\t', '\r']);
                assert!(!out.trim_end().split(',').any(runs), "{out}");
            }
        }
        let first = |name: &str| name.starts_with(|first: char| first.is_ascii_lowercase());
        assert!(Expression::ALL.iter().all(|expression| first(expression.name())));
        assert!(SkipReason::ALL.iter().all(|reason| first(reason.name())));
    }

    #[test]
    fn a_row_a_face() {
        let text = rows(vec![face(Some(Expression::Happiness), Some(0.93)), face(None, None)]);
        assert_eq!(
            text,
            "\"main\",4,99,3,0.31,0.22,0.18,0.24,\"happiness\",0.05,0.91,0.01,0.01,0.01,0,0.01,0.93,,\n\
             \"main\",4,99,3,0.31,0.22,0.18,0.24,,0.05,0.91,0.01,0.01,0.01,0,0.01,,,\n"
        );
    }

    #[test]
    fn what_the_sample_has_stands_in_each_of_its_rows() {
        let mut stored = stored(vec![face(None, None); 2]);
        stored.sample.media_ms = Some(0);
        stored.sample.skipped = vec![
            Skipped { reason: SkipReason::Hidden, ms: 12_000 },
            Skipped { reason: SkipReason::ClockStep, ms: -120_000 },
        ];
        let ends = |stored: &StoredSample| -> Vec<String> {
            let mut out = String::new();
            write_sample(&mut out, stored);
            out.lines().map(|line| line.splitn(17, ',').last().unwrap().to_owned()).collect()
        };
        let expected = ",0,\"hidden:12000;clock_step:-120000\"";
        assert_eq!(ends(&stored), [expected; 2], "after a quality that there is not");
        stored.sample.faces.clear();
        assert_eq!(ends(&stored), [expected]);
    }

    #[test]
    fn nobody_in_view_is_a_row_too_and_every_row_is_as_wide_as_the_header() {
        let nobody = rows(Vec::new());
        assert!(nobody.starts_with("\"main\",4,99,,"));
        let width = header().matches(',').count();
        assert_eq!(width, 18);
        assert_eq!(nobody.matches(',').count(), width);
        assert_eq!(rows(vec![face(None, Some(1.0))]).matches(',').count(), width);
    }
}
