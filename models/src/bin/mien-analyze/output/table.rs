//! CSV in Mien's own columns: one row a face.

use mien_shared::Expression;

use super::cells::{append, number, quoted};
use super::format::Layout;
use crate::landmarks;
use crate::report::{Report, Seen};

/// Tells a picture's rows from those of the same file read again.
pub(crate) const FILE: usize = 0;
pub(crate) const FACE: usize = 1;

pub(crate) fn header(layout: Layout) -> Vec<&'static str> {
    let mut names = vec!["file", "face", "left", "top", "width", "height", "expression"];
    names.extend(Expression::ALL.map(Expression::name));
    names.push("quality");
    names.extend(layout.landmarks.then(landmarks::columns).into_iter().flatten());
    names.extend(layout.neutral_looks.map(|_| "neutral_looks"));
    names.extend(layout.origin.has_frames().then_some("frame"));
    names.extend(layout.origin.has_times().then_some("media_ms"));
    names
}

/// A picture without a face has one row, whose cells of a face are empty.
pub(crate) fn append_rows(report: &Report, layout: Layout, record: &mut Vec<u8>) {
    for seen in &report.faces {
        append(record, &row(report, Some(seen), layout));
    }
    if report.faces.is_empty() {
        append(record, &row(report, None, layout));
    }
}

fn row(report: &Report, seen: Option<&Seen>, layout: Layout) -> Vec<String> {
    let mut row = vec![quoted(&report.file)];
    if let Some(Seen { face, .. }) = seen {
        let bounds: [f32; 4] = face.bounds.into();
        row.push(face.id.to_string());
        row.extend(bounds.map(|side| side.to_string()));
        row.push(face.expression.map_or_else(String::new, |expression| quoted(expression.name())));
        row.extend(face.scores.0.map(|score| score.to_string()));
        row.push(number(face.quality));
        if layout.landmarks {
            row.extend(landmarks::cells(face));
        }
        row.extend(report.neutral_looks.map(|looks| looks.to_string()));
    } else {
        let landmarks = if layout.landmarks { landmarks::COUNT } else { 0 };
        let cells = 6 + Expression::COUNT + 1 + landmarks + usize::from(report.neutral_looks.is_some());
        row.extend(std::iter::repeat_n(String::new(), cells));
    }
    row.extend(layout.origin.has_frames().then(|| number(report.moment.map(|moment| moment.frame))));
    row.extend(layout.origin.has_times().then(|| number(report.moment.and_then(|moment| moment.media_ms))));
    row
}
