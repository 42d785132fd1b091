//! Which detection continues which face: places, sizes and speeds alone. Knows nothing of what a face looks like, as
//! nobody is recognised here.

use std::time::Duration;

use mien_shared::FaceBox;

use crate::steady::{growth, movement, share_after};

/// Overlap from which a detection may be the same face.
const MIN_IOU: f32 = 0.2;
/// Without that overlap (a fast move, a low rate): centres nearer than this, in box sizes, …
const MAX_CENTRE_DISTANCE: f32 = 0.8;
/// … and further for a face that has not been seen for a while, per second; …
const DRIFT: f32 = 0.4;
/// … and sizes that differ by no more than this factor.
const MAX_SIZE_RATIO: f32 = 1.7;
/// A speed counts by 63 % after this time: jitter must not send a face away.
const SPEED_TIME_CONSTANT: Duration = Duration::from_millis(120);
/// A face that is out of sight goes on for about this long, and then stands still.
const COASTS: Duration = Duration::from_millis(800);
/// What the place where it was last seen is worth, compared with where it should be by now.
const STOOD_STILL: f32 = 0.7;

/// Where a face was last seen, and where it was going.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Motion {
    seen: FaceBox,
    /// Widths and heights of the frame per second.
    speed: [f32; 2],
    /// Time since it was last seen.
    pub(crate) unseen: Duration,
}

impl Motion {
    pub(crate) const fn begun(seen: FaceBox) -> Self {
        Self { seen, speed: [0.0; 2], unseen: Duration::ZERO }
    }

    pub(crate) fn follow(&mut self, seen: FaceBox) {
        let seconds = self.unseen.as_secs_f32();
        if seconds > 0.0 {
            let share = share_after(self.unseen, SPEED_TIME_CONSTANT);
            let (from, to) = (middle(&self.seen), middle(&seen));
            for (axis, speed) in self.speed.iter_mut().enumerate() {
                *speed += share * ((to[axis] - from[axis]) / seconds - *speed);
            }
        }
        (self.seen, self.unseen) = (seen, Duration::ZERO);
    }

    /// Where it should be by now.
    fn expected(&self) -> FaceBox {
        let coasts = COASTS.as_secs_f32();
        let seconds = coasts * (1.0 - (-self.unseen.as_secs_f32() / coasts).exp());
        let FaceBox { left, top, width, height } = self.seen;
        FaceBox { left: left + seconds * self.speed[0], top: top + seconds * self.speed[1], width, height }
    }

    /// How well a detection continues this face; `None` if it cannot. Any overlap beats none.
    fn affinity(&self, now: &FaceBox) -> Option<f32> {
        let reach = MAX_CENTRE_DISTANCE + DRIFT * self.unseen.as_secs_f32().min(1.0);
        let still = affinity(&self.seen, now, reach).map(|affinity| STOOD_STILL * affinity);
        let moved = affinity(&self.expected(), now, reach);
        moved.into_iter().chain(still).reduce(f32::max)
    }
}

fn affinity(expected: &FaceBox, now: &FaceBox, reach: f32) -> Option<f32> {
    let iou = expected.iou(now);
    if iou >= MIN_IOU {
        return Some(1.0 + iou);
    }
    let distance = movement(expected, now);
    let is_near = distance <= reach && growth(expected, now).abs() <= MAX_SIZE_RATIO.ln();
    is_near.then_some(1.0 - distance / reach)
}

fn middle(bounds: &FaceBox) -> [f32; 2] {
    [bounds.left + bounds.width / 2.0, bounds.top + bounds.height / 2.0]
}

/// For each detection, the index of the face that it continues. Best pairs first, each face once; ties go to the earlier
/// face and then to the earlier detection.
pub(crate) fn associate<'a>(
    faces: impl Iterator<Item = &'a Motion>,
    detections: &[FaceBox],
) -> Vec<Option<usize>> {
    let mut pairs = Vec::new();
    let mut count = 0;
    for (face, motion) in faces.enumerate() {
        count += 1;
        for (detection, bounds) in detections.iter().enumerate() {
            pairs.extend(motion.affinity(bounds).map(|affinity| (affinity, face, detection)));
        }
    }
    // The sort is stable.
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut taken = vec![false; count];
    let mut known = vec![None; detections.len()];
    for (_, face, detection) in pairs {
        if !taken[face] && known[detection].is_none() {
            taken[face] = true;
            known[detection] = Some(face);
        }
    }
    known
}
