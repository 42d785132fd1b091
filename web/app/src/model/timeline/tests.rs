use mien_shared::{Expression, Face, FaceBox, Sample, Scores, SkipReason, Skipped};

use super::columns::{LIVE_COLUMNS, MAX_COLUMNS};
use super::{COLUMN_MS, Shown, Timeline, TimelineMarker};

const T0: u64 = 1_763_907_600_000;

fn face(expression: Option<Expression>) -> Face {
    let mut scores = [0.0; 7];
    scores[expression.unwrap_or(Expression::Neutral).index()] = 1.0;
    Face::new(1, FaceBox::from([0.0, 0.0, 1.0, 1.0]), expression, Scores(scores))
}

fn sample(seq: u64, offset_ms: u64, faces: Vec<Face>) -> Sample {
    Sample::new(seq, T0 + offset_ms, faces)
}

fn happy() -> Vec<Face> {
    vec![face(Some(Expression::Happiness))]
}

#[test]
fn a_clock_that_is_set_moves_earlier_columns_and_the_newest_stays_the_newest() {
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
    let Shown::Faces { unsure, scores, .. } = line.shown_at(T0) else { panic!("faces were there") };
    assert_eq!((unsure, scores.of(Expression::Happiness)), (0.5, 1.0));
    line.add(&sample(3, 250, vec![]));
    assert_eq!(line.shown_at(T0 + 250), Shown::Nobody);
    assert_eq!(line.shown_at(T0 + 500), Shown::Gap);
    assert_eq!(line.shown_at(T0 - 1), Shown::Gap);
}

#[test]
fn valence_is_the_mean_of_the_faces_that_were_judged() {
    let mut line = Timeline::default();
    line.add(&sample(1, 0, vec![face(Some(Expression::Happiness)), face(None)]));
    line.add(&sample(2, 100, vec![face(Some(Expression::Anger)), face(Some(Expression::Neutral))]));
    assert_eq!(line.shown_at(T0).valence(), Some(0.0), "1, −1 and 0");
    line.add(&sample(3, 250, happy()));
    assert_eq!(line.shown_at(T0 + 250).valence(), Some(1.0));
    line.add(&sample(4, 500, vec![face(None), face(None), face(Some(Expression::Sadness))]));
    assert_eq!(line.shown_at(T0 + 500).valence(), None, "abstentions prevail");
    line.add(&sample(5, 750, Vec::new()));
    assert_eq!(line.shown_at(T0 + 750).valence(), None);
    let merged = line.slices(T0, T0 + 1_000, 1);
    assert_eq!(merged[0].shown.valence(), Some(0.0), "1, −1, 0, 1 and −1");
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
    assert!(matches!(line.shown_at(T0 + 13_500), Shown::Faces { .. }), "a step of the clock takes no time");
}

#[test]
fn it_stays_bounded_whatever_the_clock_does() {
    let mut line = Timeline::default();
    for second in 0..4_000 {
        line.add(&sample(second + 1, second * 1_000, happy()));
    }
    assert_eq!(line.columns.len(), LIVE_COLUMNS);
    let newest = line.newest_ms();
    line.add(&sample(4_001, 0, happy()));
    assert_eq!(line.newest_ms(), newest, "too old");
    line.add(&sample(4_002, 1 << 50, happy()));
    assert_eq!(line.columns.len(), 1, "a day later starts anew");
}

/// Whether a stretch arrived live or was prepended later, it looks the same.
#[test]
fn what_is_prepended_joins_without_a_seam() {
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
fn what_was_prepended_stays_within_bounds() {
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
    assert!(line.columns.len() > LIVE_COLUMNS / 2);
    assert_eq!(line.oldest_ms(), T0 + 20 * hour + 2_999_000 + 250 - 14_401 * 250, "as long as before");
    assert_eq!(line.earlier_than(), Some(line.oldest_ms()), "what was dropped can be requested again");
    let before = line.clone();
    line.prepend(&[sample(7, hour, happy())]);
    assert_eq!(line.columns, before.columns, "too far away");
    let long: Vec<Sample> =
        (0..9 * 3_600).map(|second| sample(second + 2, 11 * hour + second * 1_000, happy())).collect();
    line.prepend(&long);
    assert!(line.columns.len() <= MAX_COLUMNS && line.columns.len() > 8 * 14_400);
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
fn markers_are_in_order_of_time() {
    let mut line = Timeline::default();
    for (at_ms, label) in [(5, "b"), (1, "a"), (5, "c")] {
        line.add_marker(TimelineMarker { at_ms, label: label.to_owned() });
    }
    line.remove_marker(&TimelineMarker { at_ms: 5, label: "a".to_owned() });
    assert_eq!(line.markers().map(|marker| marker.label.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    line.remove_marker(&TimelineMarker { at_ms: 5, label: "b".to_owned() });
    assert_eq!(line.markers().map(|marker| marker.label.as_str()).collect::<Vec<_>>(), ["a", "c"]);
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
