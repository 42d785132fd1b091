use mien_shared::Scores;

use super::*;

const STEP_MS: u64 = 100;

fn face(id: u32, left: f32) -> Face {
    sized(id, left, 0.2)
}

fn sized(id: u32, left: f32, size: f32) -> Face {
    let bounds = FaceBox::from([left, 0.3, size, size]);
    let scores = Scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    Face::new(id, bounds, None, scores)
}

/// A source with ten frames a second.
#[derive(Default)]
struct Source {
    left_out: LeftOut,
    at_ms: u64,
}

impl Source {
    /// The identities that stay in the sample of the next frame.
    fn shows(&mut self, faces: &[Face]) -> Vec<u32> {
        self.at_ms += STEP_MS;
        let kept = self.left_out.keep(Duration::from_millis(self.at_ms), faces.to_vec());
        kept.iter().map(|face| face.id).collect()
    }

    fn shows_for(&mut self, ms: u64, faces: &[Face]) {
        for _ in 0..ms / STEP_MS {
            self.shows(faces);
        }
    }

    /// One face that was left out after a second, and is in view.
    fn without_one() -> Self {
        let mut source = Self::default();
        source.shows_for(1_000, &[face(1, 0.1), face(2, 0.6)]);
        assert!(source.left_out.leave_out(1));
        assert_eq!(source.shows(&[face(1, 0.1), face(2, 0.6)]), [2]);
        source
    }
}

#[test]
fn it_stays_left_out_wherever_it_is_followed() {
    let mut source = Source::without_one();
    for place in 0..8_u8 {
        let moved = face(1, 0.1 * f32::from(place));
        assert_eq!(source.shows(&[moved, face(2, 0.6)]), [2], "{place}");
    }
    let [out] = source.left_out.faces()[..] else { panic!("one") };
    assert_eq!((out.id, out.in_view, out.bounds), (1, true, face(1, 0.1 * 7.0).bounds));
}

#[test]
fn back_soon_at_its_place_with_its_size_it_is_the_same_and_otherwise_another() {
    for (away_ms, back, expected) in [
        (4_000, face(3, 0.12), vec![2]),
        (6_000, face(3, 0.12), vec![2, 3]),
        (1_000, face(3, 0.25), vec![2, 3]),
        (1_000, sized(3, 0.1, 0.32), vec![2, 3]),
    ] {
        let mut source = Source::without_one();
        source.shows_for(away_ms, &[face(2, 0.6)]);
        let [out] = source.left_out.faces()[..] else {
            assert!(away_ms > 5_000, "given up after {away_ms} ms");
            assert_eq!(source.shows(&[face(2, 0.6), back]), expected);
            continue;
        };
        assert!(!out.in_view);
        assert_eq!(source.shows(&[face(2, 0.6), back.clone()]), expected, "{away_ms} ms, {back:?}");
    }
}

#[test]
fn a_poster_keeps_its_place_however_long_it_was_covered() {
    let mut source = Source::without_one();
    source.shows_for(11_000, &[face(1, 0.1), face(2, 0.6)]);
    source.shows_for(600_000, &[face(2, 0.6)]);
    assert_eq!(source.shows(&[face(2, 0.6), face(9, 0.11)]), [2]);
    assert_eq!(source.left_out.faces().len(), 1, "it is still one");
    assert_eq!(
        source.shows(&[face(2, 0.6), face(9, 0.11), face(10, 0.1)]),
        [2, 10],
        "and takes no second face"
    );
}

#[test]
fn one_that_moves_is_not_still() {
    let mut source = Source::without_one();
    for second in 0..20_u8 {
        let moved = face(1, 0.1 + 0.1 * f32::from(second % 2));
        source.shows_for(1_000, &[moved, face(2, 0.6)]);
    }
    source.shows_for(6_000, &[face(2, 0.6)]);
    assert_eq!(source.left_out.faces(), []);
}

#[test]
fn whoever_was_in_view_all_along_may_walk_over_the_place() {
    let mut source = Source::without_one();
    source.shows_for(1_000, &[face(2, 0.6)]);
    assert_eq!(source.shows(&[face(2, 0.1)]), [2]);
}

#[test]
fn a_pause_is_no_absence() {
    let mut source = Source::without_one();
    source.at_ms += 3_600_000;
    assert_eq!(source.shows(&[face(3, 0.1), face(4, 0.6)]), [4]);
}

#[test]
fn brought_back_it_counts_again_under_whichever_identity_it_is_followed() {
    let mut source = Source::without_one();
    source.shows_for(1_000, &[face(2, 0.6)]);
    assert_eq!(source.shows(&[face(2, 0.6), face(3, 0.1)]), [2]);
    assert!(!source.left_out.bring_back(3), "it was left out as 1");
    assert!(source.left_out.bring_back(1));
    assert_eq!(source.shows(&[face(2, 0.6), face(3, 0.1)]), [2, 3]);
    assert!(!source.left_out.bring_back(1));
}

#[test]
fn only_what_is_or_just_was_in_view_can_be_left_out() {
    let mut source = Source::default();
    assert!(!source.left_out.leave_out(1), "nothing was ever seen");
    source.shows(&[face(1, 0.1)]);
    source.shows_for(1_000, &[]);
    assert!(source.left_out.leave_out(1), "the click came a moment late");
    assert!(source.left_out.leave_out(1), "twice is once");
    assert_eq!(source.left_out.faces().len(), 1);
    assert!(!source.left_out.leave_out(7));
    source.shows_for(6_000, &[]);
    assert!(!source.left_out.leave_out(1));
}

#[test]
fn two_that_come_back_at_once_are_told_apart_by_place() {
    let mut source = Source::default();
    source.shows(&[face(1, 0.1), face(2, 0.5)]);
    assert!(source.left_out.leave_out(1) && source.left_out.leave_out(2));
    source.shows_for(500, &[]);
    assert_eq!(source.shows(&[face(3, 0.5), face(4, 0.1), face(5, 0.8)]), [5]);
    let places: Vec<_> = source.left_out.faces().iter().map(|face| (face.id, face.bounds.left)).collect();
    assert_eq!(places, [(1, 0.1), (2, 0.5)]);
}
