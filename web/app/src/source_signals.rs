//! What the samples of one source showed, as signals for the views.

use std::rc::Rc;

use leptos::prelude::*;
use mien_engine::{AnalysedFrame, CalibrationState, Doubt, LeftOutFace, RunStats};
use mien_shared::{Face, Sample};

use crate::browser;
use crate::model::expression::looks;
use crate::model::face::{Preferred, main_face};
use crate::model::neutral::{NeutralStep, NeutralView};
use crate::model::reason::{FaceReason, Reasons, stored_doubts};
use crate::model::timeline::{Timeline, TimelineMarker};

/// Figures change at most this often: faster ones cannot be read.
const FIGURES_MS: f64 = 150.0;
/// What a screen reader hears changes at most this often.
const ANNOUNCE_MS: f64 = 3_000.0;
/// Why the main face is hard to judge changes at most this often.
const EXPLAIN_MS: f64 = 2_000.0;

/// A handle; a copy shows the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourceSignals {
    /// The newest analysed frame, for the stage.
    pub frame: RwSignal<Option<Rc<AnalysedFrame>>, LocalStorage>,
    /// Faces of the newest frame.
    pub faces: RwSignal<Vec<Face>>,
    /// The face that the figures are about, at a pace that can be read.
    pub main_face: RwSignal<Option<Face>>,
    /// Whether anything is being analysed: from the first sample until the source ends.
    pub is_active: RwSignal<bool>,
    /// The face that the person selected, by id.
    pub selected_face: RwSignal<Option<u32>>,
    pub notes: RwSignal<FaceNotes>,
    pub timeline: RwSignal<Timeline>,
    pub stats: RwSignal<RunStats>,
    /// The main face's expression in words, for a live region.
    pub announced: RwSignal<&'static str>,
    /// Taking own neutral faces.
    pub neutral: RwSignal<NeutralView>,
    counters: StoredValue<Counters>,
}

/// What else there is to say about faces.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FaceNotes {
    /// Why faces in view are hard to judge, of those that are.
    pub reasons: Vec<FaceReason>,
    /// The same for the main face, at a pace that can be read and heard.
    pub explained: Option<Doubt>,
    /// The faces that the person leaves out.
    pub left_out: Vec<LeftOutFace>,
}

#[derive(Clone, Debug, Default)]
struct Counters {
    seq: u64,
    newest_ms: u64,
    figures_since_ms: f64,
    announced_since_ms: f64,
    neutral_spoken_since_ms: f64,
    explained_since_ms: f64,
    explained_face: Option<u32>,
    reasons: Reasons,
}

impl SourceSignals {
    pub(crate) fn new() -> Self {
        Self {
            frame: RwSignal::new_local(None),
            faces: RwSignal::new(Vec::new()),
            main_face: RwSignal::new(None),
            is_active: RwSignal::new(false),
            selected_face: RwSignal::new(None),
            notes: RwSignal::new(FaceNotes::default()),
            timeline: RwSignal::new(Timeline::default()),
            stats: RwSignal::new(RunStats::default()),
            announced: RwSignal::new(""),
            neutral: RwSignal::new(NeutralView::default()),
            counters: StoredValue::new(Counters::default()),
        }
    }

    /// Whether the picture is shown mirrored.
    pub(crate) fn is_mirrored(&self) -> Signal<bool> {
        let frame = self.frame;
        Memo::new(move |_| frame.with(|frame| frame.as_ref().is_some_and(|frame| frame.mirrored))).into()
    }

    /// A frame of this device.
    pub(crate) fn show_frame(&self, frame: AnalysedFrame) {
        let Some(seq) = self.counters.try_update_value(|counters| {
            counters.seq += 1;
            counters.seq
        }) else {
            return;
        };
        let sample = frame.sample(seq);
        self.timeline.update(|timeline| timeline.add(&sample));
        self.show(&sample, certainty_in(&frame), |face| frame.doubts_of(face.id).to_vec());
        self.note(|notes| notes.left_out.clone_from(&frame.set_aside));
        self.frame.set(Some(Rc::new(frame)));
    }

    /// A frame of this device that is shown and not recorded.
    pub(crate) fn preview_frame(&self, frame: AnalysedFrame) {
        self.show(&frame.sample(0), certainty_in(&frame), |face| frame.doubts_of(face.id).to_vec());
        self.frame.set(Some(Rc::new(frame)));
    }

    pub(crate) fn show_calibration(&self, state: CalibrationState) {
        let Some(mut counters) = self.counters.try_get_value() else { return };
        let step = NeutralStep::from(state);
        let begins = step.is_taking() && !self.neutral.with_untracked(|neutral| neutral.step.is_taking());
        let words = if begins {
            step.text(None)
        } else {
            step.spoken(self.main_face.with_untracked(|face| face.as_ref().map(|face| face.id)))
        };
        let now_ms = browser::steady_ms();
        // Its beginning and end are heard at once, what is wrong in between at a pace that can be followed.
        let is_due = begins || !step.is_taking() || now_ms - counters.neutral_spoken_since_ms >= ANNOUNCE_MS;
        self.neutral.update(|neutral| {
            if is_due && neutral.spoken != words {
                counters.neutral_spoken_since_ms = now_ms;
                neutral.spoken = words;
            }
            neutral.step = step;
        });
        self.counters.set_value(counters);
    }

    /// The person has reset it.
    pub(crate) fn forget_neutral(&self) {
        self.neutral
            .update(|neutral| neutral.clear("No face is compared with its own neutral one any more."));
    }

    /// All go on the timeline, and the newest is shown.
    pub(crate) fn show_samples(&self, samples: &[Sample]) {
        self.timeline.update(|timeline| samples.iter().for_each(|sample| timeline.add(sample)));
        if let Some(newest) = samples.last() {
            self.show(newest, |_| None, stored_doubts);
        }
    }

    /// Earlier samples: they go on the timeline, and are shown nowhere else.
    pub(crate) fn restore(&self, samples: &[Sample]) {
        let Some(last) = samples.last() else { return };
        self.timeline.update(|timeline| samples.iter().for_each(|sample| timeline.add(sample)));
        // Between them and the camera's first frame is a gap, so that frame's number must not follow theirs.
        self.counters.update_value(|counters| counters.seq = counters.seq.max(last.seq + 1));
    }

    /// Samples from before everything on the timeline.
    pub(crate) fn prepend(&self, samples: &[Sample]) {
        self.timeline.update(|timeline| timeline.prepend(samples));
    }

    /// The face that the figures are about, `certainty` being the detector's where it is known.
    pub(crate) fn main_of(&self, faces: &[Face], certainty: impl Fn(u32) -> Option<f32>) -> Option<Face> {
        let shown = self.main_face.with_untracked(|face| face.as_ref().map(|face| face.id));
        main_face(faces, certainty, Preferred { chosen: self.selected_face.get_untracked(), shown }).cloned()
    }

    fn show(
        &self,
        sample: &Sample,
        certainty: impl Fn(u32) -> Option<f32>,
        doubts_of: impl Fn(&Face) -> Vec<Doubt>,
    ) {
        let main = self.main_of(&sample.faces, certainty);
        let before = self.main_face.get_untracked();
        let changed = before.as_ref().map(|face| (face.id, face.expression))
            != main.as_ref().map(|face| (face.id, face.expression));
        let now_ms = browser::steady_ms();
        let faces = sample.faces.iter().map(|face| (face, doubts_of(face)));
        let mut counters = self.counters.get_value();
        let reasons = counters.reasons.update(now_ms, faces);
        self.explain(&mut counters, main.as_ref().map(|face| face.id), reasons, now_ms);
        counters.newest_ms = sample.at;
        if changed || now_ms - counters.figures_since_ms >= FIGURES_MS {
            counters.figures_since_ms = now_ms;
            self.main_face.set(main.clone());
        }
        let words = main.map_or("nobody in view", |face| looks(face.expression));
        if self.announced.get_untracked() != words && now_ms - counters.announced_since_ms >= ANNOUNCE_MS {
            counters.announced_since_ms = now_ms;
            self.announced.set(words);
        }
        self.counters.set_value(counters);
        if !self.is_active.get_untracked() {
            self.is_active.set(true);
        }
        if self.neutral.with_untracked(|neutral| neutral.step.is_outdated(&sample.faces)) {
            self.neutral.update(|neutral| neutral.clear(""));
        }
        self.faces.set(sample.faces.clone());
    }

    /// Shows why faces are hard to judge. What was said of one face is not left standing for another.
    fn explain(&self, counters: &mut Counters, main: Option<u32>, reasons: Vec<FaceReason>, now_ms: f64) {
        let reason = reasons.iter().find(|reason| Some(reason.id) == main).map(|reason| reason.doubt);
        let same_face = std::mem::replace(&mut counters.explained_face, main) == main;
        let before = self.notes.with_untracked(|notes| notes.explained);
        let may_change = reason.is_none() || now_ms - counters.explained_since_ms >= EXPLAIN_MS;
        let now = if may_change { reason } else { before.filter(|_| same_face) };
        if now != before {
            counters.explained_since_ms = now_ms;
        }
        self.note(|notes| (notes.reasons, notes.explained) = (reasons, now));
    }

    /// Tells only what has changed.
    fn note(&self, change: impl FnOnce(&mut FaceNotes)) {
        let mut notes = self.notes.get_untracked();
        change(&mut notes);
        if self.notes.with_untracked(|before| *before != notes) {
            self.notes.set(notes);
        }
    }

    /// No more frames come: what the last one showed holds.
    pub(crate) fn settle(&self) {
        let now_ms = browser::steady_ms();
        let Some(mut counters) = self.counters.try_get_value() else { return };
        let reasons = counters.reasons.settle(now_ms);
        counters.explained_since_ms = now_ms - EXPLAIN_MS;
        let main = counters.explained_face;
        self.explain(&mut counters, main, reasons, now_ms);
        self.counters.set_value(counters);
    }

    /// The person has left a face out, or brought one back; the next frame follows.
    pub(crate) fn set_left_out(&self, left_out: Vec<LeftOutFace>) {
        let is_out = |face: &Face| left_out.iter().any(|out| out.id == face.id);
        self.faces.update(|faces| faces.retain(|face| !is_out(face)));
        self.main_face.set(self.faces.with_untracked(|faces| self.main_of(faces, |_| None)));
        self.note(|notes| notes.left_out = left_out);
    }

    /// Why the main face is hard to judge.
    pub(crate) fn explained(&self) -> Signal<Option<Doubt>> {
        let notes = self.notes;
        Signal::derive(move || notes.with(|notes| notes.explained))
    }

    /// Leaves a gap before the next frame: a pause is one, however short.
    fn interrupt(&self) {
        self.counters.update_value(|counters| counters.seq += 1);
    }

    /// Nothing is analysed any more; the timeline stays.
    pub(crate) fn stop(&self) {
        self.interrupt();
        self.is_active.set(false);
        self.frame.set(None);
        self.faces.set(Vec::new());
        self.main_face.set(None);
        self.neutral.update(|neutral| neutral.clear(""));
        self.note(|notes| *notes = FaceNotes::default());
        self.counters.update_value(|counters| counters.reasons = Reasons::default());
        self.stats.set(RunStats::default());
    }

    /// As if there had been nothing.
    pub(crate) fn reset(&self) {
        self.stop();
        self.timeline.set(Timeline::default());
        self.announced.set("");
        self.counters.set_value(Counters::default());
    }

    /// Capture time of the newest sample, Unix milliseconds.
    pub(crate) fn newest_ms(&self) -> Option<u64> {
        Some(self.counters.get_value().newest_ms).filter(|at| *at > 0)
    }

    pub(crate) fn add_marker(&self, marker: TimelineMarker) {
        self.timeline.update(|timeline| timeline.add_marker(marker));
    }

    pub(crate) fn remove_marker(&self, marker: &TimelineMarker) {
        self.timeline.update(|timeline| timeline.remove_marker(marker));
    }

    /// Whether this marker is still there: it may have been deleted while it was on its way to the relay.
    pub(crate) fn has_marker(&self, marker: &TimelineMarker) -> bool {
        self.timeline
            .try_with_untracked(|timeline| timeline.markers().any(|other| other == marker))
            .unwrap_or(false)
    }
}

/// The detector's confidence that a frame's face is one.
fn certainty_in(frame: &AnalysedFrame) -> impl Fn(u32) -> Option<f32> {
    |id| frame.raw.iter().find(|face| face.id == id).map(|face| face.score)
}
