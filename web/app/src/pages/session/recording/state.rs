//! What is known about a recording. Its fields are for this folder; views read them through [`super::status`].

use std::future::Future;
use std::pin::Pin;

use futures_util::future::Shared;
use leptos::prelude::*;
use mien_engine::{CameraDevice, LinkEnd, Recorder, RecorderStatus, Run};
use mien_shared::api::Marker;
use mien_shared::{SessionId, SkipReason};

use super::phase::Phase;
use crate::analysis::Analysis;
use crate::model::notice::Notices;
use crate::page_owner::PageOwner;
use crate::router::Router;
use crate::saved::{self, RenewalLimit, SavedRecording};
use crate::source_signals::SourceSignals;

/// The recorder, or the future that opens it: everything that needs it in the meantime gets the same one.
pub(super) type Opening = Shared<Pin<Box<dyn Future<Output = Recorder>>>>;

/// What connects the next run to the previous ones, of this visit or an earlier one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Continuity {
    /// Why nothing was analysed since the previous run, until the next one's first frame has said so.
    pub(super) gap_reason: Option<SkipReason>,
    /// Capture time of this source's last sample, Unix milliseconds.
    pub(super) last_sample_ms: Option<u64>,
    /// Above every face id among the samples that the relay gave back.
    pub(super) next_face: u32,
    /// Of the bytes that this device has sent, those that recorders before the present one have.
    pub(super) bytes_sent_before: u64,
}

/// A handle; a copy is the same recording.
#[derive(Clone, Copy)]
pub(crate) struct Recording {
    pub(super) saved: StoredValue<SavedRecording>,
    pub(super) analysis: Analysis,
    pub(super) router: Router,
    owner: PageOwner,
    pub(super) signals: SourceSignals,
    pub(super) phase: RwSignal<Phase>,
    /// What the recorder reported last.
    pub(super) recorder_status: RwSignal<Option<RecorderStatus>>,
    pub(super) notices: RwSignal<Notices>,
    /// Bytes that this device has sent for this session.
    pub(super) bytes_sent: RwSignal<u64>,
    pub(super) run: StoredValue<Option<Run>, LocalStorage>,
    pub(super) continuity: StoredValue<Continuity>,
    /// Stays until everything is stored: without a disk it has the only copy.
    pub(super) recorder: StoredValue<Option<Opening>, LocalStorage>,
    /// Called once the relay has ended the link. It is passed in, because a file above the link's decides it.
    pub(super) on_link_end: fn(Self, LinkEnd),
    pub(super) renewal_limit: RenewalLimit,
    /// Unsent samples on the disk, if there is no recorder to count them.
    pub(super) unsent_on_disk: RwSignal<u64>,
    /// The cameras of this device, once one is open.
    pub(super) cameras: RwSignal<Vec<CameraDevice>>,
    /// Id of the one that is open.
    pub(super) open_camera: RwSignal<Option<String>>,
    /// Markers that the relay has.
    pub(super) stored_markers: StoredValue<Vec<Marker>>,
}

impl Recording {
    pub(super) fn new(recording: SavedRecording, on_link_end: fn(Self, LinkEnd)) -> Self {
        let bytes_sent = saved::bytes_sent(recording.session);
        Self {
            saved: StoredValue::new(recording),
            analysis: expect_context::<Analysis>(),
            router: expect_context::<Router>(),
            owner: PageOwner::current(),
            signals: SourceSignals::new(),
            phase: RwSignal::new(Phase::LookingUp),
            recorder_status: RwSignal::new(None),
            notices: RwSignal::new(Notices::default()),
            bytes_sent: RwSignal::new(bytes_sent),
            run: StoredValue::new_local(None),
            continuity: StoredValue::new(Continuity {
                bytes_sent_before: bytes_sent,
                ..Continuity::default()
            }),
            recorder: StoredValue::new_local(None),
            on_link_end,
            renewal_limit: RenewalLimit::new(),
            unsent_on_disk: RwSignal::new(0),
            cameras: RwSignal::new(Vec::new()),
            open_camera: RwSignal::new(None),
            stored_markers: StoredValue::new(Vec::new()),
        }
    }

    pub(super) fn saved(self) -> SavedRecording {
        self.saved.get_value()
    }

    pub(crate) fn session(self) -> SessionId {
        self.saved.with_value(|saved| saved.session)
    }

    /// Runs until it is done or the page is left.
    pub(crate) fn spawn(self, work: impl Future<Output = ()> + 'static) {
        self.owner.spawn(work);
    }

    /// Runs after the engine's callback has returned: `work` may drop what called.
    pub(super) fn defer(self, work: impl FnOnce() + 'static) {
        self.spawn(async move { work() });
    }
}
