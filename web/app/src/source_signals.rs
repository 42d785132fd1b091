//! What the samples of one source showed, as signals for the views.

use std::rc::Rc;

use leptos::prelude::*;
use mien_engine::{AnalysedFrame, CalibrationState, RunStats};
use mien_shared::{Face, Sample};

use crate::browser;
use crate::model::expression::looks;
use crate::model::face::main_face;
use crate::model::neutral::{NeutralStep, NeutralView};
use crate::model::timeline::{Timeline, TimelineMarker};

/// Figures change at most this often: faster ones cannot be read.
const FIGURES_MS: f64 = 150.0;
/// What a screen reader hears changes at most this often.
const ANNOUNCE_MS: f64 = 3_000.0;

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
    pub timeline: RwSignal<Timeline>,
    pub stats: RwSignal<RunStats>,
    /// The main face's expression in words, for a live region.
    pub announced: RwSignal<&'static str>,
    /// Taking own neutral faces.
    pub neutral: RwSignal<NeutralView>,
    counters: StoredValue<Counters>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    seq: u64,
    newest_ms: u64,
    figures_since_ms: f64,
    announced_since_ms: f64,
    neutral_spoken_since_ms: f64,
}

impl SourceSignals {
    pub(crate) fn new() -> Self {
        Self {
            frame: RwSignal::new_local(None),
            faces: RwSignal::new(Vec::new()),
            main_face: RwSignal::new(None),
            is_active: RwSignal::new(false),
            selected_face: RwSignal::new(None),
            timeline: RwSignal::new(Timeline::default()),
            stats: RwSignal::new(RunStats::default()),
            announced: RwSignal::new(""),
            neutral: RwSignal::new(NeutralView::default()),
            counters: StoredValue::new(Counters::default()),
        }
    }

    /// A frame of this device.
    pub(crate) fn show_frame(&self, frame: AnalysedFrame) {
        let Some(seq) = self.counters.try_update_value(|counters| {
            counters.seq += 1;
            counters.seq
        }) else {
            return;
        };
        self.show_samples(std::slice::from_ref(&frame.sample(seq)));
        self.frame.set(Some(Rc::new(frame)));
    }

    /// A frame of this device that is shown and not recorded.
    pub(crate) fn preview_frame(&self, frame: AnalysedFrame) {
        self.show(&frame.sample(0));
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
            self.show(newest);
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

    fn show(&self, sample: &Sample) {
        let main = main_face(&sample.faces, self.selected_face.get_untracked()).cloned();
        let before = self.main_face.get_untracked();
        let changed = before.as_ref().map(|face| (face.id, face.expression))
            != main.as_ref().map(|face| (face.id, face.expression));
        let now_ms = browser::steady_ms();
        let mut counters = self.counters.get_value();
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
