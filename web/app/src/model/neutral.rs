//! What the page says while own neutral faces are taken, and afterwards.

use mien_engine::{CalibrationEnd, CalibrationState, FaceProgress, NeutralTaken, Obstacle};
use mien_shared::Face;

use super::format;

/// Everything that the page shows of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeutralView {
    pub step: NeutralStep,
    /// What a screen reader is told.
    pub spoken: String,
    /// Whether a recording waits for it.
    pub comes_first: bool,
}

impl NeutralView {
    /// Nothing is analysed any more, or what was taken no longer holds.
    pub fn clear(&mut self, spoken: &str) {
        self.step = NeutralStep::Idle;
        spoken.clone_into(&mut self.spoken);
    }
}

/// Where the step stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NeutralStep {
    /// Not begun, or cancelled.
    #[default]
    Idle,
    Taking(Vec<FaceProgress>),
    Taken(Vec<NeutralTaken>),
    /// What was wrong last; `None` if nobody was in view.
    NotTaken(Option<Obstacle>),
}

impl From<CalibrationState> for NeutralStep {
    fn from(state: CalibrationState) -> Self {
        match state {
            CalibrationState::Taking(faces) => Self::Taking(faces),
            CalibrationState::Ended(CalibrationEnd::Taken(faces)) => Self::Taken(faces),
            CalibrationState::Ended(CalibrationEnd::NotTaken(obstacle)) => Self::NotTaken(obstacle),
            CalibrationState::Ended(CalibrationEnd::Cancelled) => Self::Idle,
        }
    }
}

impl NeutralStep {
    /// Stable name, for styles, tests and automation.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Taking(_) => "taking",
            Self::Taken(_) => "taken",
            Self::NotTaken(_) => "not-taken",
        }
    }

    pub const fn is_taking(&self) -> bool {
        matches!(self, Self::Taking(_))
    }

    /// Whether every face in view is seen well just now.
    pub fn is_good(&self) -> bool {
        match self {
            Self::Taking(faces) => !faces.is_empty() && faces.iter().all(|face| face.obstacle.is_none()),
            _ => false,
        }
    }

    /// Whether what was taken is of people who are no longer there.
    pub fn is_outdated(&self, faces: &[Face]) -> bool {
        matches!(self, Self::Taken(_)) && !faces.is_empty() && faces.iter().all(|face| face.neutral.is_none())
    }

    /// How far this face has got.
    pub fn of(&self, id: u32) -> Option<FaceProgress> {
        match self {
            Self::Taking(faces) => faces.iter().copied().find(|face| face.face == id),
            _ => None,
        }
    }

    /// What the strip says. `looks`: how many the neutral face was made of that the main face is compared with.
    pub fn text(&self, looks: Option<u32>) -> String {
        match self {
            Self::Idle => looks.map_or_else(
                || {
                    "Compared with your own neutral face, faint smiles are found that are missed otherwise. Taking it needs three seconds.".to_owned()
                },
                |looks| format!("{}, while this face stays in view.", compared(looks)),
            ),
            Self::Taking(_) => "Look at the camera, face relaxed".to_owned(),
            Self::Taken(faces) => match faces.as_slice() {
                [one] => format!("{}, while this face stays in view.", compared(one.looks)),
                several => format!("{} faces are compared with their own neutral ones.", several.len()),
            },
            Self::NotTaken(obstacle) => {
                let why = obstacle.map_or("nobody was in view", |obstacle| match obstacle {
                    Obstacle::Cut => "the face was not wholly in view",
                    Obstacle::TooSmall => "the face was too far away",
                    Obstacle::Turned => "the face was turned away",
                    Obstacle::Dark => "there was too little light",
                    Obstacle::Bright => "there was too much light",
                    Obstacle::Moving => "the face moved",
                    Obstacle::Smiling => "the face was smiling",
                    Obstacle::Unclear => "the face was not clear enough",
                });
                format!("The neutral face was not taken: {why}.")
            }
        }
    }

    /// What a screen reader hears now. `main`: the face that the figures are about.
    pub fn spoken(&self, main: Option<u32>) -> String {
        match self {
            Self::Idle => String::new(),
            Self::Taking(faces) => {
                advice(main.and_then(|id| self.of(id)).or(faces.first().copied())).to_owned()
            }
            Self::Taken(_) | Self::NotTaken(_) => self.text(None),
        }
    }
}

/// What the person should do now.
pub const fn advice(progress: Option<FaceProgress>) -> &'static str {
    let Some(FaceProgress { looks, needed, obstacle, .. }) = progress else { return "Nobody in view" };
    match obstacle {
        None if looks >= needed => "Done",
        None => "Good, keep looking",
        Some(Obstacle::Cut) => "Move into the picture",
        Some(Obstacle::TooSmall) => "Come closer",
        Some(Obstacle::Turned) => "Turn to the camera",
        Some(Obstacle::Dark) => "More light",
        Some(Obstacle::Bright) => "Less light",
        Some(Obstacle::Moving) => "Hold still",
        Some(Obstacle::Smiling) => "Relax your face",
        Some(Obstacle::Unclear) => "Come closer, with more light",
    }
}

/// That a face is compared with the own neutral one, made of this many looks.
pub fn compared(looks: u32) -> String {
    format!("Compared with own neutral face, {}", format::count(u64::from(looks), "look", "looks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBSTACLES: [Obstacle; 8] = [
        Obstacle::Cut,
        Obstacle::TooSmall,
        Obstacle::Turned,
        Obstacle::Dark,
        Obstacle::Bright,
        Obstacle::Moving,
        Obstacle::Smiling,
        Obstacle::Unclear,
    ];

    fn progress(face: u32, obstacle: Option<Obstacle>) -> FaceProgress {
        FaceProgress { face, looks: 12, needed: 60, obstacle }
    }

    #[test]
    fn each_obstacle_has_its_own_advice_and_its_own_reason() {
        let mut advices: Vec<_> = OBSTACLES.map(|it| advice(Some(progress(1, Some(it))))).into();
        let mut reasons: Vec<_> = OBSTACLES.map(|it| NeutralStep::NotTaken(Some(it)).text(None)).into();
        advices.sort_unstable();
        advices.dedup();
        assert_eq!(advices.len(), OBSTACLES.len());
        reasons.sort_unstable();
        reasons.dedup();
        assert_eq!(reasons.len(), OBSTACLES.len());
    }

    #[test]
    fn a_step_is_good_only_while_every_face_is() {
        assert!(!NeutralStep::Idle.is_good());
        assert!(!NeutralStep::Taking(Vec::new()).is_good(), "nobody is in view");
        let (good, bad) = (progress(1, None), progress(2, Some(Obstacle::Moving)));
        assert!(NeutralStep::Taking(vec![good]).is_good());
        assert!(!NeutralStep::Taking(vec![good, bad]).is_good());
    }

    #[test]
    fn it_speaks_of_the_face_that_the_figures_are_about() {
        let step = NeutralStep::Taking(vec![progress(1, None), progress(2, Some(Obstacle::Turned))]);
        assert_eq!(step.spoken(Some(2)), "Turn to the camera");
        assert_eq!(step.spoken(Some(9)), "Good, keep looking");
        assert_eq!(NeutralStep::Taking(Vec::new()).spoken(Some(2)), "Nobody in view");
        let done = FaceProgress { face: 1, looks: 61, needed: 61, obstacle: None };
        assert_eq!(advice(Some(done)), "Done");
    }

    #[test]
    fn what_was_taken_is_said_with_its_looks() {
        let own = |face, looks| NeutralTaken { face, looks };
        let said =
            |faces| NeutralStep::from(CalibrationState::Ended(CalibrationEnd::Taken(faces))).text(None);
        assert!(said(vec![own(1, 62)]).starts_with("Compared with own neutral face, 62\u{a0}looks"));
        assert!(said(vec![own(1, 62), own(2, 9)]).starts_with("2 faces"));
        assert_eq!(NeutralStep::from(CalibrationState::Ended(CalibrationEnd::Cancelled)), NeutralStep::Idle);
    }
}
