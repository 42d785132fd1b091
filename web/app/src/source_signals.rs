//! What the samples of one source showed, as signals for the views.

use std::rc::Rc;

use leptos::prelude::*;
use mien_engine::{AnalysedFrame, RunStats};
use mien_shared::{Face, Sample};

use crate::browser;
use crate::model::expression::looks;
use crate::model::face::{Preferred, main_face};
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
    counters: StoredValue<Counters>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    seq: u64,
    newest_ms: u64,
    figures_since_ms: f64,
    announced_since_ms: f64,
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
        let sample = frame.sample(seq);
        self.timeline.update(|timeline| timeline.add(&sample));
        self.show(&sample, |id| frame.raw.iter().find(|face| face.id == id).map(|face| face.score));
        self.frame.set(Some(Rc::new(frame)));
    }

    /// All go on the timeline, and the newest is shown.
    pub(crate) fn show_samples(&self, samples: &[Sample]) {
        self.timeline.update(|timeline| samples.iter().for_each(|sample| timeline.add(sample)));
        if let Some(newest) = samples.last() {
            self.show(newest, |_| None);
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

    fn show(&self, sample: &Sample, certainty: impl Fn(u32) -> Option<f32>) {
        let main = self.main_of(&sample.faces, certainty);
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
