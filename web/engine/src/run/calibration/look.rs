//! The looks at one face: which of them count.

use std::time::Duration;

use mien_models::{Detection, Doubt, Keypoint, Neutral, NeutralLooks};

use super::progress::{FaceProgress, LONGEST_FRAME, Obstacle};

/// How long good looks must last altogether.
const LENGTH: Duration = Duration::from_secs(3);
/// On a slow machine it takes longer, so that no odd look decides the median.
const LEAST_LOOKS: u32 = 8;
/// Key points this far from where they were, in sizes of the face, have moved: more than a detector's jitter, less than
/// a nod.
const MOVED: f32 = 0.08;
/// How long a face that has moved must hold still before its looks count again: cameras blur for about as long.
const SETTLED: Duration = Duration::from_millis(200);
/// From here on a look is a strong smile, by how far happiness stands above neutral. Of 102 neutral London faces none
/// comes above −0.59, which leaves room for mouths that are naturally shaped like a smile; of as many posed smiles 59
/// are above it.
const SMILE_MARGIN: f32 = 0.5;
/// The same by the logarithm of the odds of a smiling mouth: 1 of the neutral faces, and 63 of the smiles.
const SMILE_MOUTH: f32 = 0.0;
const POINTS: [Keypoint; 4] = [Keypoint::RightEye, Keypoint::LeftEye, Keypoint::Nose, Keypoint::Mouth];

impl Obstacle {
    /// Stable name, for embedders and automation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::TooSmall => "small",
            Self::Turned => "turned",
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::Moving => "moving",
            Self::Smiling => "smiling",
            Self::Unclear => "unclear",
        }
    }

    /// What keeps this look from counting: what the person should change first.
    fn of(detection: &Detection, is_still: bool) -> Option<Self> {
        const DOUBTS: [(Doubt, Obstacle); 7] = [
            (Doubt::Cut, Obstacle::Cut),
            (Doubt::TooSmall, Obstacle::TooSmall),
            (Doubt::Turned, Obstacle::Turned),
            (Doubt::Dark, Obstacle::Dark),
            (Doubt::Bright, Obstacle::Bright),
            (Doubt::Flat, Obstacle::Dark),
            (Doubt::Blurred, Obstacle::Moving),
        ];
        if let Some((_, obstacle)) = DOUBTS.iter().find(|(doubt, _)| detection.doubts.contains(doubt)) {
            return Some(*obstacle);
        }
        let smiles = detection.look.is_some_and(|look| {
            look.margin >= SMILE_MARGIN || look.mouth.is_some_and(|mouth| mouth >= SMILE_MOUTH)
        });
        if !is_still {
            Some(Self::Moving)
        } else if smiles {
            Some(Self::Smiling)
        } else {
            (!detection.is_fit_for_neutral()).then_some(Self::Unclear)
        }
    }
}

/// Where the face was when it last moved.
#[derive(Debug)]
struct Stand {
    points: [[f32; 2]; POINTS.len()],
    still_from: Duration,
}

#[derive(Debug)]
pub(super) struct FaceLooks {
    pub(super) id: u32,
    pub(super) seen_at: Duration,
    /// How many looks made the neutral face, once it is taken.
    pub(super) taken: Option<u32>,
    looks: NeutralLooks,
    /// How long the looks that count have lasted.
    lasted: Duration,
    stand: Option<Stand>,
    obstacle: Option<Obstacle>,
}

impl FaceLooks {
    pub(super) fn new(id: u32, seen_at: Duration) -> Self {
        Self {
            id,
            seen_at,
            taken: None,
            looks: NeutralLooks::default(),
            lasted: Duration::ZERO,
            stand: None,
            obstacle: None,
        }
    }

    /// The neutral face, with the look that completes it.
    pub(super) fn look(&mut self, captured: Duration, detection: &Detection) -> Option<Neutral> {
        let passed = captured.saturating_sub(self.seen_at).min(LONGEST_FRAME);
        self.seen_at = self.seen_at.max(captured);
        if self.taken.is_some() {
            return None;
        }
        let is_still = self.is_still(captured, detection);
        self.obstacle = Obstacle::of(detection, is_still);
        let look = detection.look.filter(|_| self.obstacle.is_none())?;
        self.looks.add(look);
        self.lasted += passed;
        if self.lasted < LENGTH || self.count() < LEAST_LOOKS {
            return None;
        }
        self.taken = Some(self.count());
        self.looks.neutral()
    }

    fn is_still(&mut self, captured: Duration, detection: &Detection) -> bool {
        let points = POINTS.map(|point| detection.keypoints[point as usize]);
        let (width, height) = (detection.bounds.width, detection.bounds.height);
        let still_from = match &self.stand {
            Some(stand) => {
                let has_moved = stand.points.iter().zip(&points).any(|(before, now)| {
                    ((now[0] - before[0]) / width).hypot((now[1] - before[1]) / height) > MOVED
                });
                if !has_moved {
                    return captured >= stand.still_from;
                }
                captured + SETTLED
            }
            None => captured,
        };
        self.stand = Some(Stand { points, still_from });
        captured >= still_from
    }

    fn count(&self) -> u32 {
        self.looks.len() as u32
    }

    pub(super) fn progress(&self) -> FaceProgress {
        let looks = self.count();
        FaceProgress { face: self.id, looks, needed: self.needed(), obstacle: self.obstacle }
    }

    /// How many looks it takes at the pace so far.
    fn needed(&self) -> u32 {
        let looks = self.count();
        if self.taken.is_some() {
            return looks;
        }
        let missing = LENGTH.saturating_sub(self.lasted);
        let more = if self.lasted.is_zero() {
            0.0
        } else {
            (looks as f32 * missing.div_duration_f32(self.lasted)).ceil()
        };
        // The look that completes it is still to come.
        (looks + (more as u32).max(1)).max(LEAST_LOOKS)
    }

    /// What was wrong last; without anything wrong, there were too few looks.
    pub(super) fn hindered_by(&self) -> Obstacle {
        self.obstacle.unwrap_or(Obstacle::Unclear)
    }
}
