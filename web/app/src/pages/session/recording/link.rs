//! The recording's link to the relay: the recorder, how it ends, and what follows from that.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Shared;
use leptos::prelude::*;
use mien_engine::api::ApiFault;
use mien_engine::{
    LinkEnd, LinkState, Recorder, RecorderEvent, RecorderStatus, StorageMode, steady_now, wall_now,
};
use mien_shared::api::PatchSession;
use mien_shared::problem::CloseCode;
use mien_shared::{Code, SessionStatus};

use super::super::{NoSummary, Phase, passes};
use super::Recording;
use crate::fault::{Fault, said};
use crate::kept::{self, Kept};

/// How long the last samples may take after stop.
const PATIENCE_MS: u32 = 15_000;
/// A token that is refused this soon after it was given will not be bettered by another.
const RENEW_AGAIN: Duration = Duration::from_mins(1);

impl Recording {
    /// The recorder: opened where there is none, connected again where its link has ended.
    pub(super) async fn recorder(self) -> Recorder {
        if let Some(opening) = self.recorder.get_value() {
            let recorder = opening.await;
            if recorder.resume(&self.kept.with_value(|kept| kept.tokens.ingest.clone())) {
                return recorder;
            }
        }
        self.sent_before.set_value(self.sent.get_untracked());
        let access = self.kept.with_value(Kept::access);
        let open: Pin<Box<dyn Future<Output = Recorder>>> =
            Box::pin(Recorder::open(access, move |event| self.on_recorder(event)));
        let opening = open.shared();
        self.recorder.set_value(Some(opening.clone()));
        let recorder = opening.await;
        self.status.set(Some(recorder.status()));
        recorder
    }

    fn on_recorder(self, event: RecorderEvent) {
        let status = match event {
            RecorderEvent::Status(status) => status,
            RecorderEvent::TokenExpiring => return self.renew_ahead(),
            RecorderEvent::Rejected { .. } => return,
        };
        let before = self.status.try_get_untracked().flatten().map(|before| before.link);
        let end = match &status.link {
            // Told once: what still gathers after an end is news of its own.
            LinkState::Ended(end) if before.as_ref() != Some(&status.link) => Some(*end),
            _ => None,
        };
        let sent = self.sent_before.try_get_value().unwrap_or(0) + status.bytes_sent;
        self.sent.try_set(sent);
        // At once: a page may be ended without a word, and another tab may go on.
        if let Some(session) = self.kept.try_with_value(|kept| kept.session) {
            kept::keep_sent(session, sent);
        }
        self.status.try_set(Some(status));
        // While finishing, whoever waits for the recorder decides.
        let waits = matches!(self.phase.try_get_untracked(), Some(Phase::Finishing | Phase::Done(_)) | None);
        if let Some(end) = end.filter(|_| !waits) {
            self.later(move || self.link_ended(end));
        }
    }

    /// The relay has ended the link. An expired token is renewed while the recording goes on; any other end is for
    /// good, and the camera goes off.
    fn link_ended(self, end: LinkEnd) {
        self.spawn(async move {
            if end == LinkEnd::Closed(CloseCode::Unauthorized) && self.renew().await {
                drop(self.recorder().await);
                return;
            }
            if matches!(self.phase.get_untracked(), Phase::Finishing | Phase::Done(_)) {
                return;
            }
            self.camera_off();
            // What it has not written yet, it writes as it goes. Without a disk nothing else has what waits.
            if self.status.with_untracked(|status| {
                status.as_ref().is_some_and(|status| status.mode == StorageMode::Disk)
            }) {
                self.let_go();
            }
            self.phase.set(Phase::Checking);
            self.tell_end(end).await;
        });
    }

    /// After an end that is for good: the relay says what became of the session. If that goes on, the link itself
    /// says why it ended.
    async fn tell_end(self, end: LinkEnd) {
        match self.kept().relay().session(self.session()).await {
            Ok(session) if session.status == SessionStatus::Completed => self.conclude().await,
            Err(fault @ ApiFault::Problem(_)) if !passes(&fault) => self.refused(fault, Some(end)).await,
            Ok(_) | Err(_) => self.phase.set(Phase::Fault(match end {
                LinkEnd::Closed(CloseCode::Unauthorized) => Fault::expired_recording(),
                LinkEnd::Closed(close) => Fault::closed(close),
                LinkEnd::TakenOver | LinkEnd::Done => Fault::superseded(),
            })),
        }
    }

    /// New tokens in place of expired ones. False where there are none to be had.
    pub(super) async fn renew(self) -> bool {
        let now = steady_now();
        if self.renewed.get_value().is_some_and(|before| now.since(before) < RENEW_AGAIN) {
            return false;
        }
        self.renewed.set_value(Some(now));
        let Some(tokens) = kept::renew(self.session()).await else { return false };
        self.kept.update_value(|kept| kept.tokens = tokens);
        true
    }

    /// Newer tokens before the present ones are over. Without an answer the recorder asks again, and at the end the
    /// relay does.
    pub(super) fn renew_ahead(self) {
        if self.renewing.try_update_value(|renewing| std::mem::replace(renewing, true)) != Some(false) {
            return;
        }
        self.spawn(async move {
            if let Some(tokens) = kept::renew(self.session()).await {
                self.recorder.with_value(|opening| {
                    if let Some(recorder) = opening.as_ref().and_then(Shared::peek) {
                        recorder.renew(&tokens.ingest);
                    }
                });
                self.kept.update_value(|kept| {
                    kept.tokens = tokens;
                    kept.got_ms = wall_now().0;
                });
            }
            self.renewing.set_value(false);
        });
    }

    /// Closes the link.
    pub(in crate::pages::session) fn let_go(self) {
        self.recorder.set_value(None);
    }

    /// Camera off at once; then everything is sent, the session completed and its summary shown.
    pub(in crate::pages::session) fn stop(self) {
        self.camera_off();
        self.phase.set(Phase::Finishing);
        self.spawn(async move {
            let mut status = self.send_the_rest().await;
            let expired = LinkState::Ended(LinkEnd::Closed(CloseCode::Unauthorized));
            if status.pending > 0 && status.link == expired && self.renew().await {
                status = self.send_the_rest().await;
            }
            if status.pending > 0 {
                // Where the session has gone on or ended without this page, trying again changes nothing.
                if let LinkState::Ended(end) = status.link
                    && status.link != expired
                {
                    return self.tell_end(end).await;
                }
                // The recorder stays and goes on trying.
                self.phase.set(Phase::Done(Err(NoSummary::Waiting)));
                return;
            }
            self.recorder.set_value(None);
            match self.complete().await {
                Ok(()) => self.conclude().await,
                Err(fault) => {
                    self.phase.set(Phase::Done(Err(NoSummary::Open(said(&fault)))));
                }
            }
        });
    }

    async fn send_the_rest(self) -> RecorderStatus {
        let recorder = self.recorder().await;
        recorder.complete(PATIENCE_MS).await;
        let status = recorder.status();
        self.status.set(Some(status.clone()));
        status
    }

    async fn complete(self) -> Result<(), ApiFault> {
        let patch = PatchSession { title: None, status: Some(SessionStatus::Completed) };
        let mut patched = self.kept().relay().patch_session(self.session(), &patch).await;
        let expired = matches!(&patched, Err(fault) if fault.code() == Some(Code::Unauthorized));
        if expired && self.renew().await {
            patched = self.kept().relay().patch_session(self.session(), &patch).await;
        }
        patched.map(drop)
    }

    /// Shows what the relay has of the completed session.
    pub(in crate::pages::session) async fn conclude(self) {
        kept::withdraw_consent(self.session());
        self.count_left().await;
        let summary = self.kept().relay().summary(self.session()).await;
        self.phase.set(Phase::Done(summary.map_err(|fault| NoSummary::Unread(said(&fault)))));
    }
}
