//! The kinds of faults.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    Forgotten,
    Erased,
    UnknownRecording,
    Unaccepted,
    Outdated,
    IncompleteLink,
    Expired,
    Forbidden,
    NotFound,
    SessionEnded,
    QuotaExceeded,
    RelayClosed,
    Superseded,
    SimdMissing,
    NotBuilt,
    Blocked,
    Model,
    Network,
    Worker,
    CameraDenied,
    NoCamera,
    CameraBusy,
    CameraUnplugged,
    StreamEnded,
    Insecure,
    PictureUnreadable,
    PictureTooLarge,
    VideoUnreadable,
    VideoEmpty,
    DemoUnplayable,
    CrossOrigin,
    NoDemo,
    Replaced,
    Camera,
    Unanalysed,
    Refused,
    Offline,
    ProxyPassword,
    NotTheRelay,
}

impl FaultKind {
    /// Stable name, for tests and automation.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Forgotten => "forgotten",
            Self::Erased => "erased",
            Self::UnknownRecording => "unknown",
            Self::Unaccepted => "unaccepted",
            Self::Outdated => "outdated",
            Self::IncompleteLink => "link",
            Self::Expired => "expired",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::SessionEnded => "ended",
            Self::QuotaExceeded => "quota",
            Self::RelayClosed => "relay",
            Self::Superseded => "superseded",
            Self::SimdMissing => "simd",
            Self::NotBuilt => "not-built",
            Self::Blocked => "blocked",
            Self::Model => "model",
            Self::Network => "network",
            Self::Worker => "worker",
            Self::CameraDenied => "denied",
            Self::NoCamera => "absent",
            Self::CameraBusy => "busy",
            Self::CameraUnplugged => "unplugged",
            Self::StreamEnded => "stream-ended",
            Self::Insecure => "insecure",
            Self::PictureUnreadable => "picture-unreadable",
            Self::PictureTooLarge => "picture-too-large",
            Self::VideoUnreadable => "video-unreadable",
            Self::VideoEmpty => "video-empty",
            Self::DemoUnplayable => "demo-unplayable",
            Self::CrossOrigin => "cross-origin",
            Self::NoDemo => "no-demo",
            Self::Replaced => "replaced",
            Self::Camera => "camera",
            Self::Unanalysed => "unanalysed",
            Self::Refused => "refused",
            Self::Offline => "offline",
            Self::ProxyPassword => "proxy-password",
            Self::NotTheRelay => "foreign",
        }
    }

    /// Whether the relay takes no more of a recording, so that the person must decide what becomes of unsent samples.
    pub(crate) const fn leaves_unsent(self) -> bool {
        matches!(
            self,
            Self::Erased
                | Self::UnknownRecording
                | Self::Unaccepted
                | Self::Expired
                | Self::Forbidden
                | Self::SessionEnded
                | Self::QuotaExceeded
        )
    }

    /// Whether a part of the page did not load or start, as when the page was replaced since it was opened.
    pub(super) const fn is_about_parts(self) -> bool {
        matches!(self, Self::NotBuilt | Self::Model | Self::Network | Self::Worker | Self::DemoUnplayable)
    }
}
