//! Faces that the person leaves out: a poster, a drawing, a bystander. Pure: the caller brings the time.
//!
//! A face that was left out stays so
//! * for as long as it is followed;
//! * when it comes back: a face that was not there before, at the same place with the same size ([`SAME_PLACE`]), counts
//!   as the one that was left out, if that was last seen at most [`RETURNS_WITHIN`] ago, or if it had kept still for
//!   [`STILL_FROM`], as posters do: they keep their place for as long as the source runs.
//!
//! Time counts only while frames come: nobody moves on during a pause. A face that was in view all along never counts as
//! another one, wherever it goes.

#[cfg(test)]
mod tests;

use std::time::Duration;

use mien_shared::limits::MAX_FACES;
use mien_shared::{Face, FaceBox};

/// Overlap from which it is the same place and the same size: a shift by a third of its width passes, and so does growth
/// by two fifths on the spot.
const SAME_PLACE: f32 = 0.5;
/// Long enough to turn away or to be covered by somebody who walks past; too short for another person to sit down.
const RETURNS_WITHIN: Duration = Duration::from_secs(5);
/// Overlap with where it stood before from which a face counts as still: the detector's jitter, and no more.
const UNMOVED: f32 = 0.7;
/// Nobody who is filmed holds still for that long by chance, and who does keeps a seat.
const STILL_FROM: Duration = Duration::from_secs(10);
/// Two frames further apart are a pause.
const LONGEST_STEP: Duration = Duration::from_secs(1);
/// More than fit into a frame: those that wait for a return count as well.
const MOST: usize = 2 * MAX_FACES;

/// A face that the person left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeftOutFace {
    /// Under which it was left out; it may be followed under another identity by now.
    pub id: u32,
    /// Where it is, or was last seen.
    pub bounds: FaceBox,
    pub in_view: bool,
}

/// Which faces of one source are left out.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    entries: Vec<Entry>,
    /// Faces that are, or just were, in view: what [`Self::leave_out`] can be about.
    seen: Vec<Seen>,
    /// Identities only grow: a higher one is a face that was not there before.
    newest_id: u32,
    /// Time in which frames came.
    now: Duration,
    captured: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    id: u32,
    bounds: FaceBox,
    at: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    left_out_as: u32,
    seen: Seen,
    /// Since when it has been at about this place.
    still: Seen,
}

impl Entry {
    fn follow(&mut self, seen: Seen) {
        self.seen = seen;
        if self.still.bounds.iou(&seen.bounds) < UNMOVED {
            self.still = seen;
        }
    }

    fn is_still(&self) -> bool {
        self.seen.at.saturating_sub(self.still.at) >= STILL_FROM
    }
}

impl LeftOut {
    /// Leaves this face out from the next frame on. False if no such face is in view, or there is no room.
    pub(super) fn leave_out(&mut self, id: u32) -> bool {
        let Some(seen) = self.seen.iter().copied().find(|seen| seen.id == id) else { return false };
        if self.entries.iter().any(|entry| entry.seen.id == id) {
            return true;
        }
        if self.entries.len() >= MOST {
            return false;
        }
        let still = Seen { at: self.now, ..seen };
        self.entries.push(Entry { left_out_as: id, seen, still });
        true
    }

    /// Takes the face back that was left out under this identity. False if there is none.
    pub(super) fn bring_back(&mut self, id: u32) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.left_out_as != id);
        self.entries.len() < before
    }

    /// The faces of the next frame without those that are left out.
    pub(super) fn keep(&mut self, captured: Duration, faces: Vec<Face>) -> Vec<Face> {
        let step = self.captured.map_or(Duration::ZERO, |before| captured.saturating_sub(before));
        self.now += step.min(LONGEST_STEP);
        self.captured = Some(captured);
        let seen_now = faces.iter().map(|face| Seen { id: face.id, bounds: face.bounds, at: self.now });
        let seen_now: Vec<Seen> = seen_now.collect();
        for seen in &seen_now {
            if let Some(entry) = self.entries.iter_mut().find(|entry| entry.seen.id == seen.id) {
                entry.follow(*seen);
            }
        }
        let now = self.now;
        self.entries.retain(|entry| entry.is_still() || now.saturating_sub(entry.seen.at) <= RETURNS_WITHIN);
        let newest_id = self.newest_id;
        for seen in seen_now.iter().filter(|seen| seen.id > newest_id) {
            self.recognise(*seen);
        }
        self.newest_id = seen_now.iter().map(|seen| seen.id).fold(newest_id, u32::max);
        self.remember(&seen_now);
        faces.into_iter().filter(|face| !self.entries.iter().any(|entry| entry.seen.id == face.id)).collect()
    }

    /// A new face may be one that was left out, and is back.
    fn recognise(&mut self, seen: Seen) {
        let away = self.entries.iter_mut().filter(|entry| entry.seen.at < self.now);
        let overlap = |entry: &Entry| entry.seen.bounds.iou(&seen.bounds);
        let nearest = away.max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        if let Some(entry) = nearest.filter(|entry| overlap(entry) >= SAME_PLACE) {
            entry.follow(seen);
        }
    }

    fn remember(&mut self, seen_now: &[Seen]) {
        let now = self.now;
        self.seen.retain(|old| {
            now.saturating_sub(old.at) <= RETURNS_WITHIN && seen_now.iter().all(|new| new.id != old.id)
        });
        // The newest last; those that were seen longest ago go first.
        self.seen.extend_from_slice(seen_now);
        let over = self.seen.len().saturating_sub(MOST);
        self.seen.drain(..over);
    }

    /// Every face that is left out, the latest last.
    pub(super) fn faces(&self) -> Vec<LeftOutFace> {
        let face = |entry: &Entry| LeftOutFace {
            id: entry.left_out_as,
            bounds: entry.seen.bounds,
            in_view: entry.seen.at == self.now,
        };
        self.entries.iter().map(face).collect()
    }
}
