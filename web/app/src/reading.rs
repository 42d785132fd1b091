//! What the last analysed frames showed, as signals for whoever draws it.

use std::rc::Rc;

use leptos::prelude::*;
use mien_engine::{AnalysedFrame, RunStats};
use mien_shared::{Face, Sample};

use crate::browser;
use crate::model::face::main_face;
use crate::model::timeline::{Flag, Timeline};

/// Figures change this often at most: faster cannot be read.
const CALM_MS: f64 = 150.0;
/// What a screen reader hears changes this often at most.
const ANNOUNCE_MS: f64 = 3_000.0;

/// A handle; a copy shows the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// The newest analysed frame, for the stage.
    pub frame: RwSignal<Option<Rc<AnalysedFrame>>, LocalStorage>,
    /// Faces of the newest frame.
    pub faces: RwSignal<Vec<Face>>,
    /// The face that the figures speak of, at a pace that can be read.
    pub main: RwSignal<Option<Face>>,
    /// Whether anything is being looked at: from the first frame on, until the source ends.
    pub begun: RwSignal<bool>,
    /// Which face the person picked, by id.
    pub chosen: RwSignal<Option<u32>>,
    pub timeline: RwSignal<Timeline>,
    pub stats: RwSignal<RunStats>,
    /// The main face's expression in words, for a live region.
    pub spoken: RwSignal<&'static str>,
    counters: StoredValue<Counters>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    seq: u64,
    newest_ms: u64,
    calm_since_ms: f64,
    spoken_since_ms: f64,
}

impl Reading {
    pub(crate) fn new() -> Self {
        Self {
            frame: RwSignal::new_local(None),
            faces: RwSignal::new(Vec::new()),
            main: RwSignal::new(None),
            begun: RwSignal::new(false),
            chosen: RwSignal::new(None),
            timeline: RwSignal::new(Timeline::default()),
            stats: RwSignal::new(RunStats::default()),
            spoken: RwSignal::new(""),
            counters: StoredValue::new(Counters::default()),
        }
    }

    /// A frame of this device.
    pub(crate) fn take_frame(&self, frame: AnalysedFrame) {
        let Some(seq) = self.counters.try_update_value(|counters| {
            counters.seq += 1;
            counters.seq
        }) else {
            return;
        };
        self.take_sample(&frame.sample(seq));
        self.frame.set(Some(Rc::new(frame)));
    }

    /// A sample that the relay sent to a watcher.
    pub(crate) fn take_sample(&self, sample: &Sample) {
        self.timeline.update(|timeline| timeline.add(sample));
        self.show(sample);
    }

    /// Several samples at once: only the newest is shown, all stand on the timeline.
    pub(crate) fn take_samples(&self, samples: &[Sample]) {
        self.timeline.update(|timeline| samples.iter().for_each(|sample| timeline.add(sample)));
        if let Some(newest) = samples.last() {
            self.show(newest);
        }
    }

    /// Samples of before: they stand on the timeline, and nothing else shows them.
    pub(crate) fn recall(&self, samples: &[Sample]) {
        let Some(last) = samples.last() else { return };
        self.timeline.update(|timeline| samples.iter().for_each(|sample| timeline.add(sample)));
        // Between them and the camera's first frame is a gap, so that frame's number must not follow theirs.
        self.counters.update_value(|counters| counters.seq = counters.seq.max(last.seq + 1));
    }

    /// Samples of before all that is on the timeline.
    pub(crate) fn precede(&self, samples: &[Sample]) {
        self.timeline.update(|timeline| timeline.prepend(samples));
    }

    fn show(&self, sample: &Sample) {
        let main = main_face(&sample.faces, self.chosen.get_untracked()).cloned();
        let before = self.main.get_untracked();
        let changed = before.as_ref().map(|face| (face.id, face.expression))
            != main.as_ref().map(|face| (face.id, face.expression));
        let now_ms = browser::steady_ms();
        let mut counters = self.counters.get_value();
        counters.newest_ms = sample.at;
        if changed || now_ms - counters.calm_since_ms >= CALM_MS {
            counters.calm_since_ms = now_ms;
            self.main.set(main.clone());
        }
        let words = main.map_or("nobody in view", |face| crate::model::words::looks(face.expression));
        if self.spoken.get_untracked() != words && now_ms - counters.spoken_since_ms >= ANNOUNCE_MS {
            counters.spoken_since_ms = now_ms;
            self.spoken.set(words);
        }
        self.counters.set_value(counters);
        if !self.begun.get_untracked() {
            self.begun.set(true);
        }
        self.faces.set(sample.faces.clone());
    }

    /// Says that what follows does not join what was: a pause is a gap however short.
    pub(crate) fn interrupt(&self) {
        self.counters.update_value(|counters| counters.seq += 1);
    }

    /// Nothing is looked at any more; the timeline stays.
    pub(crate) fn rest(&self) {
        self.interrupt();
        self.begun.set(false);
        self.frame.set(None);
        self.faces.set(Vec::new());
        self.main.set(None);
        self.stats.set(RunStats::default());
    }

    /// As if there had been nothing.
    pub(crate) fn forget(&self) {
        self.rest();
        self.timeline.set(Timeline::default());
        self.spoken.set("");
        self.counters.set_value(Counters::default());
    }

    /// Capture time of the newest sample, Unix milliseconds.
    pub(crate) fn newest_ms(&self) -> Option<u64> {
        Some(self.counters.get_value().newest_ms).filter(|at| *at > 0)
    }

    pub(crate) fn flag(&self, flag: Flag) {
        self.timeline.update(|timeline| timeline.flag(flag));
    }

    pub(crate) fn unflag(&self, flag: &Flag) {
        self.timeline.update(|timeline| timeline.unflag(flag));
    }

    /// Whether this flag still stands: it may have been taken away while it was on its way to the relay.
    pub(crate) fn has_flag(&self, flag: &Flag) -> bool {
        self.timeline
            .try_with_untracked(|timeline| timeline.flags().any(|other| other == flag))
            .unwrap_or(false)
    }
}
