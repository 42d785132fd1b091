//! What went wrong, told to the person in front of the page: what happened, what is safe, what to do.

use mien_engine::api::ApiFault;
use mien_engine::{LoadFault, RunFault, SourceFault};
use mien_shared::problem::CloseCode;

use crate::model::refusal;

const KEPT: &str = "Everything until then is kept; nothing was lost.";

/// The way on from a fault; the first button of its view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayOn {
    /// The same again.
    Retry(&'static str),
    /// Fetch the page anew.
    Reload,
    /// Back to the first page.
    Home,
    /// Pick another file.
    File,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Stable name, for tests and automation.
    pub kind: &'static str,
    pub title: &'static str,
    pub text: String,
    /// For developers, folded away.
    pub detail: Option<String>,
    pub way_on: WayOn,
    /// Whether a video file or the demo would work instead.
    pub other_source: bool,
}

impl Fault {
    fn new(kind: &'static str, title: &'static str, text: impl Into<String>, way_on: WayOn) -> Self {
        Self { kind, title, text: text.into(), detail: None, way_on, other_source: false }
    }

    pub(crate) fn with(mut self, detail: &str) -> Self {
        self.detail = Some(detail.to_owned()).filter(|detail| !detail.is_empty());
        self
    }

    /// Names the camera that is gone.
    pub(crate) fn of_camera(mut self, name: Option<&str>) -> Self {
        if let ("unplugged", Some(name)) = (self.kind, name) {
            self.text = format!("“{name}” was unplugged or switched off. Connect it, then try again. {KEPT}");
        }
        self
    }

    fn or_other_source(mut self) -> Self {
        self.other_source = true;
        self
    }

    /// A session that this device has no access to. `stored`: whether the relay says that it has it; `None` where
    /// it does not tell a stranger.
    pub(crate) fn forgotten(stored: Option<bool>) -> Self {
        let device = "It was started on another device, or this browser has forgotten it.";
        match stored {
            Some(true) => Self::new(
                "forgotten",
                "This device cannot continue that recording",
                format!("{device} What was recorded is still stored by the relay."),
                WayOn::Home,
            ),
            Some(false) => Self::closed(CloseCode::SessionNotFound),
            None => Self::new(
                "forgotten",
                "This device cannot continue that recording",
                format!("{device} Unless it was erased, what was recorded is still stored by the relay."),
                WayOn::Home,
            ),
        }
    }

    pub(crate) fn erased() -> Self {
        Self::new(
            "erased",
            "This session was erased",
            "The relay has nothing left of it. If you did not erase it, somebody else with access did, or the relay’s retention time was over.",
            WayOn::Home,
        )
    }

    /// The relay does not know a recording of this device.
    pub(crate) fn unknown_recording() -> Self {
        Self::new(
            "unknown",
            "The relay does not know this recording",
            "It may have been started with another database for a moment. This page goes on once the recording is known again, and keeps what this browser has of it.",
            WayOn::Retry("Try again"),
        )
    }

    /// The relay refuses a token that should still be good.
    pub(crate) fn unaccepted_recording() -> Self {
        Self::new(
            "unaccepted",
            "The relay does not accept this recording",
            "Your access has not expired. Either the relay runs with another key for a moment, or the access was revoked. This page goes on once it is accepted again, and keeps what this browser has of it.",
            WayOn::Retry("Try again"),
        )
    }

    /// Whether the relay takes nothing more of a recording, so that what was not sent is the person's to decide on.
    pub(crate) fn leaves_unsent(&self) -> bool {
        matches!(self.kind, "erased" | "unknown" | "unaccepted" | "expired" | "forbidden" | "ended" | "quota")
    }

    /// The server gives another page by now than the one that is open.
    fn outdated() -> Self {
        Self::new(
            "outdated",
            "A newer version of this page is there",
            "It has taken the place of the one that is open here, parts of which are gone with it. Reload the page to go on.",
            WayOn::Reload,
        )
    }

    /// The same, or what is behind it where this page was replaced since it was opened: parts that have not been
    /// used yet are gone then, or are others.
    pub(crate) async fn explained(self) -> Self {
        let parts = matches!(self.kind, "not-built" | "model" | "network" | "worker" | "demo-unplayable");
        if parts && mien_engine::page_is_outdated().await {
            let mut outdated = Self::outdated();
            outdated.detail =
                Some(self.detail.map_or(self.text.clone(), |detail| format!("{} {detail}", self.text)));
            return outdated;
        }
        self
    }

    pub(crate) fn bad_link() -> Self {
        Self::new(
            "link",
            "This link is not complete",
            "A share link ends with a # and a long code, which is missing here. Ask for the whole link again.",
            WayOn::Home,
        )
    }

    /// Why a recording or watching link is over for good.
    pub(crate) fn closed(close: CloseCode) -> Self {
        match close {
            CloseCode::Unauthorized => Self::new(
                "expired",
                "The access is no longer valid",
                "Links and recordings are open for a day; this one has expired, or was not copied whole. Nothing that was stored is lost. Ask for a new link, or start a new session.",
                WayOn::Home,
            ),
            CloseCode::Forbidden => Self::new(
                "forbidden",
                "This link opens something else",
                "Its code belongs to another session. Check that the whole link was copied.",
                WayOn::Home,
            ),
            CloseCode::SessionNotFound => Self::new(
                "not-found",
                "There is no such session",
                "It may have been erased, or the link is damaged.",
                WayOn::Home,
            ),
            CloseCode::SessionEnded => Self::new(
                "ended",
                "This session has ended",
                "It was completed or erased. Nothing more is recorded.",
                WayOn::Home,
            ),
            CloseCode::Superseded => Self::superseded(),
            CloseCode::QuotaExceeded => Self::new(
                "quota",
                "This session takes no more",
                "It already has as many cameras or connections as the relay allows, so waiting does not help. What was recorded here stays on this device. Start a new session, or ask the relay’s operator.",
                WayOn::Home,
            ),
            _ => Self::new(
                "relay",
                "The relay closed the connection",
                "What was not stored yet waits on this device; nothing was lost.",
                WayOn::Retry("Connect again"),
            )
            .with(close.reason()),
        }
    }

    /// As [`Self::closed`] says to who watches: for them only erasing ends a session in this way.
    pub(crate) fn closed_to_watchers(close: CloseCode) -> Self {
        match close {
            CloseCode::SessionEnded => Self::new(
                "erased",
                "This session was erased",
                "Whoever recorded it has erased all its numbers. They are gone from the relay, and from this page too.",
                WayOn::Home,
            ),
            CloseCode::Unauthorized | CloseCode::Forbidden | CloseCode::SessionNotFound => Self::closed(close),
            _ => Self::new(
                "relay",
                "The relay closed the connection",
                "The recording does not depend on this page and goes on; what it stores is there when you connect again.",
                WayOn::Retry("Connect again"),
            )
            .with(close.reason()),
        }
    }

    /// As [`Self::closed`] says of an expired token, to the person who records.
    pub(crate) fn expired_recording() -> Self {
        Self::new(
            "expired",
            "The access to this recording has expired",
            "It is open for a day. What was stored is safe, and what waits stays on this device. If you have a user token, start a session with it, then open this one again from the first page.",
            WayOn::Home,
        )
    }

    pub(crate) fn superseded() -> Self {
        Self::new(
            "superseded",
            "This recording goes on elsewhere",
            "Another tab or device records this source now, so this one has stopped and released its camera. Nothing was lost.",
            WayOn::Retry("Continue here"),
        )
    }
}

impl From<LoadFault> for Fault {
    fn from(fault: LoadFault) -> Self {
        let text = fault.to_string();
        match fault {
            LoadFault::SimdMissing => {
                Self::new("simd", "This browser is too old for the analysis", text, WayOn::Home)
            }
            LoadFault::NotBuilt { .. } => {
                Self::new("not-built", "The page is incomplete", text, WayOn::Reload)
            }
            LoadFault::Blocked { .. } => {
                Self::new("blocked", "The analysis may not start here", text, WayOn::Home)
            }
            LoadFault::ModelMissing { .. } | LoadFault::ModelDamaged { .. } => {
                Self::new("model", "A model cannot be used", text, WayOn::Reload)
            }
            LoadFault::Network { detail } => {
                Self::new("network", "The analysis did not load", text, WayOn::Retry("Try again"))
                    .with(&detail)
            }
            LoadFault::WorkerFailed { .. } => {
                Self::new("worker", "The analysis did not start", text, WayOn::Retry("Try again"))
            }
        }
    }
}

impl From<SourceFault> for Fault {
    fn from(fault: SourceFault) -> Self {
        let text = fault.to_string();
        let camera =
            |kind, title, text| Self::new(kind, title, text, WayOn::Retry("Try again")).or_other_source();
        match fault {
            SourceFault::Denied => camera("denied", "The camera stays closed", text),
            SourceFault::Absent => camera("absent", "There is no camera", text),
            SourceFault::Busy => camera("busy", "The camera is busy", text),
            SourceFault::Unplugged => camera("unplugged", "The camera is gone", format!("{text} {KEPT}")),
            SourceFault::StreamEnded => {
                camera("stream-ended", "The stream has ended", format!("{text} {KEPT}"))
            }
            SourceFault::Insecure => camera("insecure", "This address cannot use the camera", text),
            SourceFault::UnreadablePicture => {
                Self::new("picture-unreadable", "The picture cannot be read", text, WayOn::File)
            }
            SourceFault::PictureTooLarge { .. } => {
                Self::new("picture-too-large", "The picture is too large", text, WayOn::File)
            }
            SourceFault::UnreadableVideo => {
                Self::new("video-unreadable", "The video cannot be played", text, WayOn::File)
            }
            SourceFault::VideoWithoutFrames => {
                Self::new("video-empty", "The video has no picture", text, WayOn::File)
            }
            SourceFault::DemoUnplayable => {
                Self::new("demo-unplayable", "The demo cannot be played", text, WayOn::Retry("Try again"))
            }
            SourceFault::CrossOrigin => {
                Self::new("cross-origin", "The video may not be read", text, WayOn::File)
            }
            SourceFault::NoDemo => Self::new("no-demo", "There is no demo here", text, WayOn::Home),
            SourceFault::Replaced => {
                Self::new("replaced", "Something else was opened", text, WayOn::Retry("Open it again"))
            }
            SourceFault::Analysis { detail } => {
                Self::new("worker", "The analysis did not start", text, WayOn::Retry("Try again"))
                    .with(&detail)
            }
            SourceFault::Other { detail } => camera("camera", "The camera did not open", text).with(&detail),
        }
    }
}

impl From<RunFault> for Fault {
    fn from(fault: RunFault) -> Self {
        let text = fault.to_string();
        match fault {
            RunFault::SourceLost(source) => source.into(),
            RunFault::NothingAnalysed { detail } => {
                Self::new("unanalysed", "The file could not be analysed", text, WayOn::File).with(&detail)
            }
            RunFault::WorkersFailed { detail }
            | RunFault::WorkerRestarting { detail }
            | RunFault::FrameFailed { detail } => Self::new(
                "worker",
                "The analysis has stopped",
                format!("{text} {KEPT}"),
                WayOn::Retry("Start it again"),
            )
            .with(&detail),
        }
    }
}

/// A call that failed, in whole sentences.
pub(crate) fn said(fault: &ApiFault) -> String {
    match fault {
        ApiFault::Problem(problem) => refusal::sentences(problem),
        other => other.to_string(),
    }
}

impl From<ApiFault> for Fault {
    fn from(fault: ApiFault) -> Self {
        let text = said(&fault);
        let retry = WayOn::Retry("Try again");
        match &fault {
            ApiFault::Problem(_) => Self::new("refused", "The relay refused", text, retry),
            ApiFault::Unreachable { detail } => {
                Self::new("offline", "The relay cannot be reached", text, retry).with(detail)
            }
            ApiFault::Timeout => Self::new("offline", "The relay does not answer", text, retry),
            ApiFault::ProxyPassword => {
                Self::new("proxy-password", "A proxy asks for a password", text, WayOn::Reload)
            }
            ApiFault::Foreign { status } => {
                Self::new("foreign", "That was not the relay", text, retry).with(&format!("HTTP {status}"))
            }
        }
    }
}
