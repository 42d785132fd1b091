//! Why a face is hard to judge: which of several reasons to show, without flicker, and in which words.

use mien_engine::Doubt;
use mien_shared::{Face, QualityReason};

use super::face::CLEAR_FROM;

/// A reason is shown once it has held for this long.
const APPEARS_MS: f64 = 1_000.0;
/// And stays at least for this long, so that it can be read.
const STAYS_MS: f64 = 2_000.0;
/// Two samples further apart say nothing about the time between.
const LONGEST_STEP_MS: f64 = 500.0;
/// A face that was away for longer begins anew.
const FORGOTTEN_MS: f64 = 1_000.0;

/// What hides most of the face comes first: only one is shown.
const ORDER: [Doubt; 7] =
    [Doubt::Cut, Doubt::TooSmall, Doubt::Turned, Doubt::Dark, Doubt::Bright, Doubt::Blurred, Doubt::Flat];

/// What is wrong, and what to do about it.
pub const fn advice(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::Cut => "Cut off by the edge: move to the middle",
        Doubt::TooSmall => "Too small: come closer or zoom in",
        Doubt::Turned => "Turned away: face the camera",
        Doubt::Dark => "Dark: add light from the front",
        Doubt::Bright => "Too bright: put less light on the face",
        Doubt::Blurred => "Blurred: hold still, or clean the lens",
        Doubt::Flat => "Flat light: add light from one side",
    }
}

/// The same beside the face, where there is room for two words.
pub const fn brief(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::Cut => "cut off",
        Doubt::TooSmall => "too small",
        Doubt::Turned => "turned away",
        Doubt::Dark => "dark",
        Doubt::Bright => "too bright",
        Doubt::Blurred => "blurred",
        Doubt::Flat => "flat light",
    }
}

/// What a sample says of it. (It has no words for light that is too bright or too flat.)
pub fn stored_doubts(face: &Face) -> Vec<Doubt> {
    let doubt = |reason: &QualityReason| match reason {
        QualityReason::Small => Doubt::TooSmall,
        QualityReason::Turned => Doubt::Turned,
        QualityReason::Dark => Doubt::Dark,
        QualityReason::Blurred => Doubt::Blurred,
        QualityReason::Cut => Doubt::Cut,
    };
    face.why.iter().map(doubt).collect()
}

/// Whether there is anything to explain: the face is unsure, or not seen clearly.
fn wants_reason(face: &Face) -> bool {
    face.expression.is_none() || face.quality.is_some_and(|quality| quality < CLEAR_FROM)
}

/// The reason that is shown for a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaceReason {
    pub id: u32,
    pub doubt: Doubt,
}

/// The reasons for the faces of one source.
#[derive(Clone, Debug, Default)]
pub struct Reasons(Vec<Steady>);

#[derive(Clone, Debug)]
struct Steady {
    id: u32,
    at_ms: f64,
    /// How long each has held, in [`ORDER`]; it falls as it rose, so that one that comes and goes is shown if it is there
    /// more often than not.
    held_ms: [f64; ORDER.len()],
    /// What the newest sample said.
    now: Vec<Doubt>,
    shown: Option<(Doubt, f64)>,
}

impl Reasons {
    /// Takes what a sample says of its faces; returns what to show, in the order of the faces.
    pub fn update<'a>(
        &mut self,
        now_ms: f64,
        faces: impl IntoIterator<Item = (&'a Face, Vec<Doubt>)>,
    ) -> Vec<FaceReason> {
        let mut shown = Vec::new();
        for (face, doubts) in faces {
            let doubts = if wants_reason(face) { doubts } else { Vec::new() };
            let steady = self.of(face.id, now_ms);
            steady.update(now_ms, doubts);
            shown.extend(steady.shown.map(|(doubt, _)| FaceReason { id: face.id, doubt }));
        }
        self.0.retain(|steady| now_ms - steady.at_ms <= FORGOTTEN_MS);
        shown
    }

    /// No more samples come, as after a picture: what the newest said holds.
    pub fn settle(&mut self, now_ms: f64) -> Vec<FaceReason> {
        let newest_ms = self.0.iter().map(|steady| steady.at_ms).fold(f64::NEG_INFINITY, f64::max);
        let mut shown = Vec::new();
        for steady in self.0.iter_mut().filter(|steady| steady.at_ms >= newest_ms) {
            let first = ORDER.into_iter().find(|doubt| steady.now.contains(doubt));
            steady.shown = first.map(|doubt| (doubt, now_ms));
            shown.extend(first.map(|doubt| FaceReason { id: steady.id, doubt }));
        }
        shown
    }

    fn of(&mut self, id: u32, now_ms: f64) -> &mut Steady {
        let place = self.0.iter().position(|steady| steady.id == id).unwrap_or_else(|| {
            let held_ms = [0.0; ORDER.len()];
            self.0.push(Steady { id, at_ms: now_ms, held_ms, now: Vec::new(), shown: None });
            self.0.len() - 1
        });
        &mut self.0[place]
    }
}

impl Steady {
    fn update(&mut self, now_ms: f64, doubts: Vec<Doubt>) {
        let step_ms = (now_ms - self.at_ms).clamp(0.0, LONGEST_STEP_MS);
        self.at_ms = now_ms;
        for (held_ms, doubt) in self.held_ms.iter_mut().zip(&ORDER) {
            let step_ms = if doubts.contains(doubt) { step_ms } else { -step_ms };
            *held_ms = (*held_ms + step_ms).clamp(0.0, APPEARS_MS);
        }
        self.now = doubts;
        let held = |wanted: Doubt| {
            let place = ORDER.iter().position(|doubt| *doubt == wanted);
            place.map_or(0.0, |place| self.held_ms[place])
        };
        let stays = |(doubt, since_ms): &(Doubt, f64)| held(*doubt) > 0.0 || now_ms - since_ms < STAYS_MS;
        let appears = || ORDER.into_iter().find(|doubt| held(*doubt) >= APPEARS_MS);
        self.shown = self.shown.filter(stays).or_else(|| appears().map(|doubt| (doubt, now_ms)));
    }
}

#[cfg(test)]
mod tests {
    use mien_shared::{Expression, FaceBox, Scores};

    use super::*;

    fn face(id: u32) -> Face {
        let scores = Scores([0.4, 0.3, 0.3, 0.0, 0.0, 0.0, 0.0]);
        let mut face = Face::new(id, FaceBox::from([0.1, 0.1, 0.2, 0.2]), None, scores);
        face.quality = Some(0.2);
        face
    }

    /// Ten samples a second of one face.
    #[derive(Default)]
    struct Source {
        reasons: Reasons,
        now_ms: f64,
    }

    impl Source {
        fn shows(&mut self, ms: u32, doubts: &[Doubt]) -> Option<Doubt> {
            let mut shown = Vec::new();
            for _ in 0..ms / 100 {
                self.now_ms += 100.0;
                shown = self.reasons.update(self.now_ms, [(&face(1), doubts.to_vec())]);
            }
            shown.first().map(|reason| reason.doubt)
        }
    }

    #[test]
    fn a_reason_appears_after_a_second_and_stays_for_two() {
        let mut source = Source::default();
        assert_eq!(source.shows(1_000, &[Doubt::Dark]), None);
        assert_eq!(source.shows(200, &[Doubt::Dark]), Some(Doubt::Dark));
        assert_eq!(source.shows(1_700, &[]), Some(Doubt::Dark));
        assert_eq!(source.shows(300, &[]), None);
    }

    #[test]
    fn one_that_comes_and_goes_does_not_flicker() {
        let mut source = Source::default();
        let mut changes = Vec::new();
        for step in 0..300_u32 {
            let doubts = if step % 3 == 0 { vec![] } else { vec![Doubt::TooSmall] };
            let shown = source.shows(100, &doubts);
            if changes.last() != Some(&shown) {
                changes.push(shown);
            }
        }
        assert_eq!(changes, [None, Some(Doubt::TooSmall)]);
        for step in 0..300_u32 {
            let doubts = if step % 3 == 0 { vec![Doubt::TooSmall] } else { vec![] };
            let shown = source.shows(100, &doubts);
            if changes.last() != Some(&shown) {
                changes.push(shown);
            }
        }
        assert_eq!(changes, [None, Some(Doubt::TooSmall), None]);
    }

    #[test]
    fn the_one_that_hides_most_is_shown_and_not_replaced_while_it_holds() {
        let mut source = Source::default();
        assert_eq!(source.shows(1_500, &[Doubt::Flat, Doubt::Dark]), Some(Doubt::Dark));
        assert_eq!(source.shows(5_000, &[Doubt::Cut, Doubt::Dark]), Some(Doubt::Dark));
        assert_eq!(source.shows(1_500, &[Doubt::Cut]), Some(Doubt::Cut));
    }

    #[test]
    fn a_clear_view_with_an_expression_needs_none() {
        let mut reasons = Reasons::default();
        let mut clear = face(1);
        clear.quality = Some(0.7);
        clear.expression = Some(Expression::Neutral);
        for step in 0..30 {
            assert_eq!(reasons.update(f64::from(step) * 100.0, [(&clear, vec![Doubt::Dark])]), []);
        }
    }

    #[test]
    fn each_face_has_its_own() {
        let mut reasons = Reasons::default();
        let mut shown = Vec::new();
        for step in 0..15 {
            let now_ms = f64::from(step) * 100.0;
            shown = reasons.update(
                now_ms,
                [(&face(1), vec![Doubt::Cut]), (&face(2), vec![]), (&face(5), vec![Doubt::Turned])],
            );
        }
        let expected = [FaceReason { id: 1, doubt: Doubt::Cut }, FaceReason { id: 5, doubt: Doubt::Turned }];
        assert_eq!(shown, expected);
    }

    #[test]
    fn of_a_picture_the_only_sample_counts() {
        let mut reasons = Reasons::default();
        assert_eq!(reasons.update(0.0, [(&face(3), vec![Doubt::Blurred, Doubt::TooSmall])]), []);
        assert_eq!(reasons.settle(50.0), [FaceReason { id: 3, doubt: Doubt::TooSmall }]);
    }

    #[test]
    fn a_pause_is_not_taken_for_a_lasting_reason() {
        let mut source = Source::default();
        source.shows(300, &[Doubt::Dark]);
        source.now_ms += 60_000.0;
        assert_eq!(source.shows(100, &[Doubt::Dark]), None);
    }

    #[test]
    fn what_a_sample_says_has_words() {
        let mut told = face(1);
        told.why = vec![QualityReason::Cut, QualityReason::Small];
        assert_eq!(stored_doubts(&told), [Doubt::Cut, Doubt::TooSmall]);
        for doubt in ORDER {
            // One line of the panel.
            assert!(advice(doubt).len() <= 42, "{}", advice(doubt));
            assert!(brief(doubt).len() <= 12, "{}", brief(doubt));
        }
    }
}
