//! The CSV form of a sample: a row for each face, one row with empty face fields for a sample without faces.
//! Lines end with a bare line feed, which every reader of RFC 4180 takes and `cut` and `awk` prefer.
//!
//! Text is quoted, numbers are not: a source may be called `007`, `null` or `1e5`, and a reader that respects quotes can
//! tell. No text contains quotes. `skipped` is `reason:milliseconds`, separated by semicolons; `why` is reasons,
//! separated by spaces.
//!
//! A column never changes its place: new ones come last. Most sessions have no landmarks, whose 59 columns would then be
//! nothing but commas, so they are there only if any sample of the session had landmarks when the export began.
//!
//! A spreadsheet takes text that begins like a formula for one, even in quotes. Of all text here only the name of a source
//! can: `-a` is written as `'-a`, which the spreadsheet shows as `-a`.

use std::fmt::Write;

use mien_shared::api::StoredSample;
use mien_shared::{Coefficients, Expression, Face, FaceLandmarks, Sample, Skipped};

/// What begins the names of the coefficients' columns: one of them is called `_neutral`.
const COEFFICIENT: &str = "coefficient_";
/// What landmarks say beside the coefficients.
const LANDMARKS: [&str; 7] = ["yaw", "pitch", "roll", "blink_left", "blink_right", "gaze_right", "gaze_up"];

/// The writer of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Csv {
    /// Whether the file has columns for landmarks.
    pub(super) landmarks: bool,
}

impl Csv {
    /// The header line.
    pub(super) fn header(self) -> String {
        let mut line = String::from("source,seq,at,face,left,top,width,height,expression");
        for expression in Expression::ALL {
            push(&mut line, format_args!(",{expression}"));
        }
        line.push_str(",quality,media_ms,skipped,valence,neutral_looks,why");
        if self.landmarks {
            for name in LANDMARKS {
                push(&mut line, format_args!(",{name}"));
            }
            for name in Coefficients::NAMES {
                push(&mut line, format_args!(",{COEFFICIENT}{name}"));
            }
        }
        line.push('\n');
        line
    }

    /// Appends the rows of one sample.
    pub(super) fn write(self, out: &mut String, stored: &StoredSample) {
        let StoredSample { source, sample } = stored;
        if sample.faces.is_empty() {
            write_start(out, stored);
            // face, the four sides of the box, expression, the scores, quality.
            write_nothing(out, Expression::COUNT + 7);
            write_sample(out, sample);
            // valence, neutral_looks, why.
            write_nothing(out, 3);
            self.write_landmarks(out, None);
            out.push('\n');
            return;
        }
        debug_assert!(!source.as_str().contains('"'));
        for face in &sample.faces {
            write_start(out, stored);
            write_face(out, face);
            write_sample(out, sample);
            write_optional(out, face);
            self.write_landmarks(out, face.landmarks.as_deref());
            out.push('\n');
        }
    }

    fn write_landmarks(self, out: &mut String, landmarks: Option<&FaceLandmarks>) {
        if !self.landmarks {
            return;
        }
        let Some(landmarks) = landmarks else {
            return write_nothing(out, LANDMARKS.len() + Coefficients::COUNT);
        };
        let FaceLandmarks { yaw, pitch, roll, blink_left, blink_right, gaze, coefficients } = landmarks;
        let [gaze_right, gaze_up] = [gaze.map(|[right, _]| right), gaze.map(|[_, up]| up)];
        for number in [*yaw, *pitch, *roll, *blink_left, *blink_right, gaze_right, gaze_up] {
            write_number(out, number);
        }
        for number in coefficients.values() {
            write_number(out, number);
        }
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
    write_number(out, face.quality);
}

/// What belongs to the sample, and so stands in each of its rows.
fn write_sample(out: &mut String, sample: &Sample) {
    write_number(out, sample.media_ms);
    write_list(out, ';', &sample.skipped, |out, Skipped { reason, ms }| {
        push(out, format_args!("{}:{ms}", reason.name()));
    });
}

fn write_optional(out: &mut String, face: &Face) {
    write_number(out, face.valence);
    write_number(out, face.neutral);
    write_list(out, ' ', &face.why, |out, reason| out.push_str(reason.name()));
}

/// Empty where there is none.
fn write_number(out: &mut String, number: Option<impl std::fmt::Display>) {
    out.push(',');
    if let Some(number) = number {
        push(out, format_args!("{number}"));
    }
}

/// In quotes; empty where there is nothing.
fn write_list<T>(out: &mut String, between: char, list: &[T], mut write: impl FnMut(&mut String, &T)) {
    out.push(',');
    for (place, entry) in list.iter().enumerate() {
        out.push(if place > 0 { between } else { '"' });
        write(out, entry);
    }
    if !list.is_empty() {
        out.push('"');
    }
}

fn write_nothing(out: &mut String, columns: usize) {
    out.extend(std::iter::repeat_n(',', columns));
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String has no way to fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::{QualityReason, Scores, SkipReason, SourceName};

    const PLAIN: Csv = Csv { landmarks: false };
    const WIDE: Csv = Csv { landmarks: true };

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
        PLAIN.write(&mut out, &stored(faces));
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
                WIDE.write(&mut out, &stored);
                assert!(out.starts_with(&format!("{cell},4,99,")), "{out}");
                let runs =
                    |cell: &str| cell.starts_with("\"-") || cell.starts_with(['=', '+', '@', '\t', '\r']);
                assert!(!out.trim_end().split(',').any(runs), "{out}");
            }
        }
        let first = |name: &str| name.starts_with(|first: char| first.is_ascii_lowercase());
        assert!(Expression::ALL.iter().all(|expression| first(expression.name())));
        assert!(SkipReason::ALL.iter().all(|reason| first(reason.name())));
        assert!(QualityReason::ALL.iter().all(|reason| first(reason.name())));
    }

    #[test]
    fn a_row_a_face() {
        let text = rows(vec![face(Some(Expression::Happiness), Some(0.93)), face(None, None)]);
        assert_eq!(
            text,
            "\"main\",4,99,3,0.31,0.22,0.18,0.24,\"happiness\",0.05,0.91,0.01,0.01,0.01,0,0.01,0.93,,,,,\n\
             \"main\",4,99,3,0.31,0.22,0.18,0.24,,0.05,0.91,0.01,0.01,0.01,0,0.01,,,,,,\n"
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
            PLAIN.write(&mut out, stored);
            out.lines().map(|line| line.splitn(17, ',').last().unwrap().to_owned()).collect()
        };
        let expected = ",0,\"hidden:12000;clock_step:-120000\",,,";
        assert_eq!(ends(&stored), [expected; 2], "after a quality that there is not");
        stored.sample.faces.clear();
        assert_eq!(ends(&stored), [expected]);
    }

    #[test]
    fn nobody_in_view_is_a_row_too_and_every_row_is_as_wide_as_the_header() {
        let nobody = rows(Vec::new());
        assert!(nobody.starts_with("\"main\",4,99,,"));
        let width = PLAIN.header().matches(',').count();
        assert_eq!(width, 21);
        assert_eq!(nobody.matches(',').count(), width);
        assert_eq!(rows(vec![face(None, Some(1.0))]).matches(',').count(), width);
    }

    /// So that whoever reads by place reads on.
    #[test]
    fn columns_of_landmarks_come_after_all_others() {
        let (plain, wide) = (PLAIN.header(), WIDE.header());
        let begin = wide.strip_prefix(plain.trim_end()).unwrap();
        assert!(
            begin.starts_with(
                ",yaw,pitch,roll,blink_left,blink_right,gaze_right,gaze_up,coefficient__neutral,"
            )
        );
        assert!(begin.ends_with(",coefficient_noseSneerRight\n"));
        assert_eq!(begin.matches(',').count(), 59);
        let names: std::collections::BTreeSet<_> = wide.trim_end().split(',').collect();
        assert_eq!(names.len(), 22 + 59, "each name is there once");
    }

    #[test]
    fn what_is_measured_stands_in_its_column_and_the_rest_is_empty() {
        let mut values = [f32::NAN; Coefficients::COUNT];
        (values[25], values[51]) = (0.125, 1.0);
        let measured = Face {
            valence: Some(-0.5),
            neutral: Some(9),
            why: vec![QualityReason::Turned, QualityReason::Small],
            landmarks: Some(Box::new(FaceLandmarks {
                yaw: Some(-12.5),
                blink_right: Some(0.25),
                gaze: Some([3.0, -4.5]),
                coefficients: Coefficients::new(&values),
                ..FaceLandmarks::default()
            })),
            ..face(None, None)
        };
        let mut out = String::new();
        WIDE.write(&mut out, &stored(vec![measured, face(None, None)]));
        WIDE.write(&mut out, &stored(Vec::new()));
        let header = WIDE.header();
        let names: Vec<_> = header.trim_end().split(',').collect();
        let cells = |row: &str| -> Vec<(String, String)> {
            let cells: Vec<_> = row.split(',').collect();
            assert_eq!(cells.len(), names.len(), "{row}");
            let there = names[19..].iter().zip(&cells[19..]).filter(|(_, cell)| !cell.is_empty());
            there.map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned())).collect()
        };
        let rows: Vec<_> = out.lines().map(cells).collect();
        let expected = [
            ("valence", "-0.5"),
            ("neutral_looks", "9"),
            ("why", "\"turned small\""),
            ("yaw", "-12.5"),
            ("blink_right", "0.25"),
            ("gaze_right", "3"),
            ("gaze_up", "-4.5"),
            ("coefficient_jawOpen", "0.125"),
            ("coefficient_noseSneerRight", "1"),
        ];
        assert_eq!(rows[0], expected.map(|(name, cell)| (name.to_owned(), cell.to_owned())));
        assert_eq!(rows[1..], [vec![], vec![]]);
    }
}
