//! Faults of sessions, recordings and share links.

use mien_shared::problem::CloseCode;

use super::description::{Fault, Remedy};
use super::kind::FaultKind;

impl Fault {
    /// A session that this device has no access to. `stored`: whether the relay says that it has it; `None` if it does
    /// not tell strangers.
    pub(crate) fn forgotten(stored: Option<bool>) -> Self {
        let device = "It was started on another device, or this browser has forgotten it.";
        match stored {
            Some(true) => Self::new(
                FaultKind::Forgotten,
                "This device cannot continue that recording",
                format!("{device} What was recorded is still stored by the relay."),
                Remedy::Home,
            ),
            Some(false) => Self::closed(CloseCode::SessionNotFound),
            None => Self::new(
                FaultKind::Forgotten,
                "This device cannot continue that recording",
                format!("{device} Unless it was erased, what was recorded is still stored by the relay."),
                Remedy::Home,
            ),
        }
    }

    pub(crate) fn erased() -> Self {
        Self::new(
            FaultKind::Erased,
            "This session was erased",
            "The relay has nothing left of it. If you did not erase it, somebody else with access did, or the relay’s retention period was over.",
            Remedy::Home,
        )
    }

    /// The relay does not know a recording of this device.
    pub(crate) fn unknown_recording() -> Self {
        Self::new(
            FaultKind::UnknownRecording,
            "The relay does not know this recording",
            "The relay may be using a different database for a while. This page continues once the relay knows the recording again; until then this browser keeps what it has of it.",
            Remedy::Retry("Try again"),
        )
    }

    /// The relay refuses a token that should still be valid.
    pub(crate) fn unaccepted_recording() -> Self {
        Self::new(
            FaultKind::Unaccepted,
            "The relay does not accept this recording",
            "Your access has not expired. Either the relay is using a different key for a while, or the access was revoked. This page continues once the relay accepts it again; until then this browser keeps what it has of the recording.",
            Remedy::Retry("Try again"),
        )
    }

    pub(crate) fn incomplete_link() -> Self {
        Self::new(
            FaultKind::IncompleteLink,
            "This link is incomplete",
            "A share link ends with a # and a long code, which is missing here. Ask for the whole link again.",
            Remedy::Home,
        )
    }

    /// Why the link of a recording or a watcher has ended for good.
    pub(crate) fn closed(close: CloseCode) -> Self {
        match close {
            CloseCode::Unauthorized => Self::new(
                FaultKind::Expired,
                "This access is no longer valid",
                "Links and recordings stay open for a day; this one has expired, or was not copied completely. Nothing that was stored is lost. Ask for a new link, or start a new session.",
                Remedy::Home,
            ),
            CloseCode::Forbidden => Self::new(
                FaultKind::Forbidden,
                "This link opens something else",
                "Its code belongs to another session. Check that the whole link was copied.",
                Remedy::Home,
            ),
            CloseCode::SessionNotFound => Self::new(
                FaultKind::NotFound,
                "There is no such session",
                "It may have been erased, or the link is damaged.",
                Remedy::Home,
            ),
            CloseCode::SessionEnded => Self::new(
                FaultKind::SessionEnded,
                "This session has ended",
                "It was completed or erased. Nothing more is recorded.",
                Remedy::Home,
            ),
            CloseCode::Superseded => Self::superseded(),
            CloseCode::QuotaExceeded => Self::new(
                FaultKind::QuotaExceeded,
                "This session takes no more connections",
                "It already has as many cameras or connections as the relay allows, so waiting does not help. What was recorded here stays on this device. Start a new session, or ask the relay’s operator.",
                Remedy::Home,
            ),
            _ => Self::new(
                FaultKind::RelayClosed,
                "The relay closed the connection",
                "What is not stored yet is kept on this device; nothing was lost.",
                Remedy::Retry("Connect again"),
            )
            .with(close.reason()),
        }
    }

    /// Like [`Self::closed`], for a watcher: for them only erasing ends a session in this way.
    pub(crate) fn closed_to_watchers(close: CloseCode) -> Self {
        match close {
            CloseCode::SessionEnded => Self::new(
                FaultKind::Erased,
                "This session was erased",
                "The person who recorded it has erased all its numbers. They are gone from the relay, and from this page too.",
                Remedy::Home,
            ),
            CloseCode::Unauthorized | CloseCode::Forbidden | CloseCode::SessionNotFound => Self::closed(close),
            _ => Self::new(
                FaultKind::RelayClosed,
                "The relay closed the connection",
                "The recording does not depend on this page and continues; what it stores will be here when you connect again.",
                Remedy::Retry("Connect again"),
            )
            .with(close.reason()),
        }
    }

    /// Like [`Self::closed`] for an expired token, for the person who records.
    pub(crate) fn expired_recording() -> Self {
        Self::new(
            FaultKind::Expired,
            "The access to this recording has expired",
            "It stays open for a day. What was stored is safe, and unsent samples stay on this device. If you have a user token, start a session with it, then open this one again from the home page.",
            Remedy::Home,
        )
    }

    pub(crate) fn superseded() -> Self {
        Self::new(
            FaultKind::Superseded,
            "This recording continues elsewhere",
            "Another tab or device is recording this source now, so this one has stopped and released its camera. Nothing was lost.",
            Remedy::Retry("Continue here"),
        )
    }
}
