//! What a run does besides frames: it keeps its source playing, reads on while the page is hidden, reports figures, and
//! notices silence.

use std::rc::Rc;

use super::active::ActiveRun;
use super::event::{RunEvent, SourceState};
use super::input::Input;
use super::presence::ReaderStep;
use super::state::Phase;
use crate::browser::frames::Reading;
use crate::browser::now_precise_ms;
use crate::browser::tracks::Pictures;
use crate::browser::video::{VideoEnd, VideoSource};
use crate::faults::Silence;

impl ActiveRun {
    /// A file of ours waits while nobody looks, so that nothing of it is missed.
    pub(super) fn update_playback(&self) {
        if let Some(video) = self.input.borrow().as_ref().and_then(Input::video) {
            if self.presence.borrow().plays(video.can_wait()) {
                video.play();
            } else {
                video.pause();
            }
        }
    }

    /// Browsers give a hidden page no frames, so that a worker has to read them.
    pub(super) fn update_reader(self: &Rc<Self>) {
        let input = self.input.borrow();
        let Some(video) = input.as_ref().and_then(Input::video) else { return };
        let step = self.presence.borrow_mut().reader_step();
        match step {
            Some(ReaderStep::Start) => {
                let weak = Rc::downgrade(self);
                let started = video.read(self.pool.kit(), move |reading| {
                    if let Some(run) = weak.upgrade() {
                        run.on_reading(reading);
                    }
                });
                if !started {
                    drop(input);
                    self.on_reading(Reading::Failed);
                }
            }
            Some(ReaderStep::End) => video.end_reading(),
            None => {}
        }
    }

    fn on_reading(&self, reading: Reading) {
        match reading {
            Reading::Begun => self.presence.borrow_mut().reader_begun(now_precise_ms()),
            Reading::Failed => {
                let blind = self.presence.borrow_mut().reader_failed();
                self.tell_blindness(blind);
            }
            Reading::Beat => return self.beat(),
        }
        self.update_playback();
    }

    pub(super) fn beat(&self) {
        let now_ms = now_precise_ms();
        let blind = self.presence.borrow_mut().beat(now_ms);
        if let Some(video) = self.input.borrow().as_ref().and_then(Input::video)
            && self.presence.borrow().plays(video.can_wait())
        {
            video.keep_going();
        }
        self.tell_blindness(blind);
        if self.stats.borrow().is_due(now_ms) {
            self.report_stats(now_ms);
        }
    }

    /// This browser gives a hidden page nothing, as has just become clear if this is true.
    fn tell_blindness(&self, blind: bool) {
        let waits = self.input.borrow().as_ref().and_then(Input::video).map(VideoSource::can_wait);
        if let (true, Some(waits)) = (blind, waits) {
            self.update_playback();
            let silence = if waits { Silence::HiddenFile } else { Silence::Hidden };
            (self.on)(RunEvent::SourceState(SourceState::Silent(silence)));
        }
    }

    fn report_stats(&self, now_ms: f64) {
        let (skipped, workers) = (self.pool.skipped(), self.pool.ready() as u32);
        let stats = self.stats.borrow_mut().report(now_ms, skipped, workers);
        let has_frames = stats.camera_fps > 0.0;
        (self.on)(RunEvent::Stats(stats));
        self.check_liveness(has_frames);
    }

    fn check_liveness(&self, has_frames: bool) {
        let observed =
            self.input.borrow().as_ref().and_then(Input::video).map(|v| (v.pictures(), v.silence()));
        let Some((pictures, silence)) = observed else { return };
        if self.phase.get() != Phase::Running {
            return;
        }
        if pictures == Pictures::Ended {
            return self.on_source_end(VideoEnd::Lost);
        }
        let is_silent = self.presence.borrow_mut().interval(has_frames, pictures);
        if is_silent {
            (self.on)(RunEvent::SourceState(SourceState::Silent(silence)));
        }
    }
}
