use mien_shared::protocol::RefusedSample;

use super::*;

const SOURCE: SourceKey = SourceKey(7);

fn batch(items: &[(u64, u64)]) -> Batch {
    let items = items.iter().map(|&(seq, at)| Ok(Sample::new(seq, at, Vec::new())));
    Batch { source: SOURCE, items: items.collect() }
}

fn refused(seq: u64) -> Item {
    Err(RefusedSample { seq, detail: String::new() })
}

#[expect(clippy::unnecessary_wraps, reason = "as it is learnt")]
fn gap(first: u64, last: u64) -> Option<Gap> {
    Some(Gap { seqs: [first, last], merged: false })
}

fn fates(decision: &Decision<'_>) -> Vec<Vec<Fate>> {
    let fates = |outcome: &Outcome| match outcome {
        Outcome::Taken(take) => take.fates.clone(),
        Outcome::Ended => Vec::new(),
    };
    decision.outcomes.iter().map(fates).collect()
}

#[test]
fn a_jump_leaves_a_gap_and_time_may_go_back() {
    let batches = [batch(&[(1, 100), (2, 90)]), batch(&[(5, 95)])];
    let mut commit = Commit::begin(&batches, [(SOURCE, Progress::default())]);
    assert!(commit.late().is_empty());
    let decision = commit.decide();
    assert_eq!(fates(&decision), [vec![Fate::Stored; 2], vec![Fate::Stored]]);
    assert_eq!(decision.new_gaps, [(SOURCE, [3, 4])]);
    let progress = Progress {
        through: 5,
        stored: 3,
        rejected: 0,
        first_at: Some(90),
        last_at: Some(100),
        disorder_ms: 10,
        gaps: 1,
        landmarks: 0,
    };
    assert_eq!(decision.sources, [(SOURCE, progress)]);
}

#[test]
fn what_is_late_is_a_duplicate_or_leaves_its_gap() {
    let mut late = batch(&[(2, 0), (5, 0), (5, 0)]);
    late.items.push(refused(9));
    late.items.push(refused(2));
    let batches = [late];
    let progress = Progress { through: 10, stored: 6, gaps: 2, ..Progress::default() };
    let mut commit = Commit::begin(&batches, [(SOURCE, progress)]);
    assert_eq!(commit.late().iter().map(|(_, seq)| *seq).collect::<Vec<_>>(), [2, 5, 5, 9, 2]);
    commit.learn(SOURCE, 2, true, None);
    commit.learn(SOURCE, 5, false, gap(4, 6));
    commit.learn(SOURCE, 9, false, gap(9, 9));
    let decision = commit.decide();
    let expected = [Fate::Duplicate, Fate::OutOfOrder, Fate::OutOfOrder, Fate::Invalid, Fate::Invalid];
    assert_eq!(fates(&decision), [expected]);
    assert!(decision.samples.is_empty());
    assert_eq!(decision.old_gaps, [(SOURCE, 4), (SOURCE, 9)]);
    assert_eq!(decision.new_gaps, [(SOURCE, [4, 4]), (SOURCE, [6, 6])]);
    assert_eq!(decision.sources, [(SOURCE, Progress { rejected: 2, ..progress })]);
}

#[test]
fn late_within_one_commit_counts_what_the_commit_took() {
    let batches = [batch(&[(1, 0), (4, 0)]), batch(&[(4, 0), (3, 0), (5, 0)])];
    let mut commit = Commit::begin(&batches, [(SOURCE, Progress::default())]);
    assert_eq!(commit.late(), [(SOURCE, 4), (SOURCE, 3)]);
    let decision = commit.decide();
    assert_eq!(fates(&decision)[1], [Fate::Duplicate, Fate::OutOfOrder, Fate::Stored]);
    assert_eq!(decision.new_gaps, [(SOURCE, [2, 2])]);
}

#[test]
fn a_repeated_commit_changes_nothing() {
    let batches = [batch(&[(1, 0), (2, 0)])];
    let progress = Progress { through: 2, stored: 2, ..Progress::default() };
    let mut commit = Commit::begin(&batches, [(SOURCE, progress)]);
    for (key, seq) in commit.late() {
        commit.learn(key, seq, true, None);
    }
    let decision = commit.decide();
    assert_eq!(fates(&decision), [[Fate::Duplicate; 2]]);
    assert!(decision.samples.is_empty() && decision.sources.is_empty() && decision.new_gaps.is_empty());
}

#[test]
fn beyond_so_many_the_last_gap_grows() {
    let full = Progress {
        through: 10,
        stored: 5,
        first_at: Some(0),
        last_at: Some(0),
        gaps: MAX_GAPS - 1,
        ..Progress::default()
    };
    let batches = [batch(&[(12, 0), (14, 0), (16, 0), (19, 0)])];
    let decision = Commit::begin(&batches, [(SOURCE, full)]).decide();
    assert_eq!(decision.new_gaps, [(SOURCE, [11, 11])]);
    assert_eq!(decision.grown_gaps, [(SOURCE, 18)]);
    assert_eq!(decision.sources, [(SOURCE, Progress { through: 19, stored: 9, gaps: MAX_GAPS, ..full })]);
}

#[test]
fn what_is_late_in_a_merged_gap_changes_nothing() {
    let mut late = batch(&[(4, 0), (5, 0)]);
    late.items.push(refused(6));
    let (batches, merged) = ([late], Some(Gap { seqs: [3, 8], merged: true }));
    let progress = Progress { through: 10, stored: 6, gaps: 3, ..Progress::default() };
    let mut commit = Commit::begin(&batches, [(SOURCE, progress)]);
    for (key, seq) in commit.late() {
        commit.learn(key, seq, seq == 4, merged);
    }
    let decision = commit.decide();
    assert_eq!(fates(&decision), [[Fate::Duplicate, Fate::OutOfOrder, Fate::Invalid]]);
    assert!(decision.sources.is_empty() && decision.old_gaps.is_empty() && decision.new_gaps.is_empty());
}

#[test]
fn where_there_are_enough_none_is_cut_in_two() {
    let batches = [batch(&[(5, 0), (4, 0)])];
    let progress = Progress { through: 10, gaps: MAX_GAPS, ..Progress::default() };
    let mut commit = Commit::begin(&batches, [(SOURCE, progress)]);
    for (key, seq) in commit.late() {
        commit.learn(key, seq, false, gap(4, 6));
    }
    let decision = commit.decide();
    assert_eq!(fates(&decision), [[Fate::OutOfOrder; 2]]);
    assert_eq!(decision.new_gaps, [(SOURCE, [5, 6])], "the first of it is no part in two");
    assert_eq!(decision.sources, [(SOURCE, Progress { rejected: 1, ..progress })]);
}

#[test]
fn an_unknown_source_has_ended() {
    let batches = [batch(&[(1, 0)])];
    assert_eq!(Commit::begin(&batches, []).decide().outcomes, [Outcome::Ended]);
}

#[test]
fn the_most_faces_with_landmarks_are_remembered() {
    use mien_shared::{Face, Scores};
    let face = |landmarks: bool| Face {
        landmarks: landmarks.then(Box::default),
        ..Face::new(1, [0.0, 0.0, 1.0, 1.0].into(), None, Scores([0.0; 7]))
    };
    let sample = |seq, faces: &[bool]| Ok(Sample::new(seq, 1, faces.iter().copied().map(face).collect()));
    let items = vec![sample(1, &[true, false]), sample(2, &[true, true, false]), sample(3, &[])];
    let batches = [Batch { source: SOURCE, items }];
    let decision = Commit::begin(&batches, [(SOURCE, Progress::default())]).decide();
    assert_eq!(decision.sources[0].1.landmarks, 2);
    let known = Progress { landmarks: 9, ..Progress::default() };
    let decision = Commit::begin(&batches, [(SOURCE, known)]).decide();
    assert_eq!(decision.sources[0].1.landmarks, 9);
}
