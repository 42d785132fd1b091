//! Which recordings of this device have samples that still wait for the relay, and sending or discarding those.

use futures_channel::mpsc;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_engine::{
    LinkEnd, LinkState, Recorder, RecorderEvent, RecorderStatus, SessionAccess, Trouble, Unfinished,
    sockets_base, wall_now,
};
use mien_shared::problem::CloseCode;
use mien_shared::{Code, SessionId, SessionStatus};

use crate::model::recordings::{ACTIVE_MS, is_active};
use crate::model::refusal;
use crate::page_owner::PageOwner;
use crate::saved;

/// How long sending the samples of an earlier recording may take.
const SEND_MS: u32 = 30_000;

/// A handle; a copy is the same list.
#[derive(Clone, Copy)]
pub(super) struct UnsentList {
    owner: PageOwner,
    pub(super) recordings: RwSignal<Vec<Unfinished>>,
    /// Sessions for which the relay accepts nothing, and why.
    refused: RwSignal<Vec<(SessionId, Refusal)>>,
    pub(super) sending: RwSignal<Option<SessionId>>,
    /// The outcome of the last action.
    outcome: RwSignal<Option<(SessionId, Outcome)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) why: &'static str,
    /// Whether a later attempt may succeed.
    pub(super) is_transient: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Stored,
    Refused,
    Unknown,
    NotNow,
    Discarded,
}

impl Outcome {
    /// What to say while samples still wait, or once none do; `None` if it is no longer true.
    const fn text(self, has_unsent: bool) -> Option<&'static str> {
        match (self, has_unsent) {
            (Self::Stored, false) => Some("Everything is stored."),
            (Self::Discarded, false) => Some("Discarded."),
            (Self::Refused, true) => {
                Some("The relay no longer accepts them. They stay on this device until you discard them.")
            }
            (Self::Unknown, true) => {
                Some("Nothing was sent. The samples stay on this device; try again later.")
            }
            (Self::NotNow, true) => {
                Some("The relay did not take everything this time. Nothing was lost; try again later.")
            }
            _ => None,
        }
    }
}

impl UnsentList {
    pub(super) fn new() -> Self {
        Self {
            owner: PageOwner::current(),
            recordings: RwSignal::new(Vec::new()),
            refused: RwSignal::new(Vec::new()),
            sending: RwSignal::new(None),
            outcome: RwSignal::new(None),
        }
    }

    /// Why the relay accepted nothing for this session, if it did not.
    pub(super) fn refusal(self, session: SessionId) -> Option<Refusal> {
        self.refused.with(|all| all.iter().rfind(|(other, _)| *other == session).map(|(_, refusal)| *refusal))
    }

    /// What is being done, or the outcome of the last action.
    pub(super) fn status(self) -> &'static str {
        if self.sending.get().is_some() {
            return "Sending";
        }
        let Some((session, outcome)) = self.outcome.get() else { return "" };
        let has_unsent = self.recordings.with(|all| all.iter().any(|other| other.session == session));
        outcome.text(has_unsent).unwrap_or_default()
    }

    /// Lists them, repeatedly while one seems to be recording elsewhere.
    pub(super) fn refresh(self) {
        self.owner.spawn(async move {
            loop {
                let found = mien_engine::unfinished().await;
                let any_active =
                    found.iter().any(|unfinished| is_active(unfinished.touched_ms, wall_now().0));
                self.recordings.set(found);
                if !any_active {
                    return;
                }
                TimeoutFuture::new(ACTIVE_MS as u32).await;
            }
        });
    }

    pub(super) fn send(self, access: SessionAccess) {
        let session = access.session;
        self.sending.set(Some(session));
        self.owner.spawn(async move {
            let status = send(access).await;
            let refusal = match status.link {
                _ if status.trouble == Some(Trouble::UnknownSession) => {
                    Some(Refusal { why: "The relay does not know this recording.", is_transient: true })
                }
                LinkState::Ended(LinkEnd::Closed(CloseCode::SessionEnded)) => {
                    Some(Refusal { why: ended(session).await, is_transient: false })
                }
                LinkState::Ended(LinkEnd::Closed(close)) => {
                    refusal::permanent_reason(close).map(|why| Refusal { why, is_transient: false })
                }
                _ => None,
            };
            let outcome = match refusal {
                _ if status.pending == 0 => Outcome::Stored,
                Some(Refusal { is_transient: true, .. }) => Outcome::Unknown,
                Some(Refusal { is_transient: false, .. }) => Outcome::Refused,
                None => Outcome::NotNow,
            };
            self.outcome.set(Some((session, outcome)));
            if let Some(refusal) = refusal {
                self.refused.update(|all| all.push((session, refusal)));
            }
            self.recordings.set(mien_engine::unfinished().await);
            self.sending.set(None);
            self.refresh();
        });
    }

    pub(super) fn discard(self, session: SessionId) {
        self.owner.spawn(async move {
            mien_engine::discard(session).await;
            self.refused.update(|all| all.retain(|(other, _)| *other != session));
            self.outcome.set(Some((session, Outcome::Discarded)));
            self.refresh();
        });
    }
}

/// Why a session takes no more samples.
async fn ended(session: SessionId) -> &'static str {
    let asked = match saved::find(session) {
        Some(saved) => saved.relay().session(session).await,
        None => return "The session was completed or erased and takes no more samples.",
    };
    match asked {
        Ok(session) if session.status == SessionStatus::Completed => {
            "The session was completed and takes no more samples."
        }
        Err(fault) if fault.code() == Some(Code::SessionNotFound) => "The session was erased.",
        Ok(_) | Err(_) => "The session was completed or erased and takes no more samples.",
    }
}

/// Sends what waits, with a new token if the old one has expired and the page can get one.
async fn send(access: SessionAccess) -> RecorderStatus {
    let session = access.session;
    let bytes_sent_before = saved::bytes_sent(session);
    let (report, mut unknown) = mpsc::channel(1);
    let report = std::cell::RefCell::new(report);
    // The page may be served under another path now.
    let access = SessionAccess { relay_origin: sockets_base(), ..access };
    let recorder = Recorder::open(access, move |event| {
        if let RecorderEvent::Status(RecorderStatus { trouble: Some(Trouble::UnknownSession), .. }) = event {
            // One message is enough.
            let _ = report.borrow_mut().try_send(());
        }
    })
    .await;
    let all = match select(Box::pin(recorder.complete(SEND_MS)), unknown.next()).await {
        Either::Left((all, _)) => all,
        // It would keep trying until the time is up; the person need not wait for that.
        Either::Right(_) => return recorder.status(),
    };
    let expired = LinkState::Ended(LinkEnd::Closed(CloseCode::Unauthorized));
    if !all
        && recorder.status().link == expired
        && let Some(tokens) = saved::renew(session).await
    {
        recorder.resume(&tokens.ingest);
        recorder.complete(SEND_MS).await;
    }
    let status = recorder.status();
    if saved::find(session).is_some() {
        saved::save_bytes_sent(session, bytes_sent_before + status.bytes_sent);
    }
    status
}
