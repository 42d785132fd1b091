//! What a refusal of the relay means for a recording, and for what of it was not sent: that is given up by nobody but
//! the person.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_engine::api::ApiFault;
use mien_engine::{LinkEnd, SessionFate, sockets_base};
use mien_shared::api::StoredSample;
use mien_shared::problem::CloseCode;
use mien_shared::{Code, SessionStatus};

use super::super::Phase;
use super::Recording;
use crate::fault::Fault;
use crate::kept;
use crate::model::route::Route;

/// How often a relay that does not know the session, or not its token, is asked whether it does by now.
const ASK_AGAIN_MS: u32 = 5_000;

impl Recording {
    /// `end`: how the link ended before, where there was one.
    pub(in crate::pages::session) async fn refused(self, fault: ApiFault, end: Option<LinkEnd>) {
        if fault.code() == Some(Code::SessionNotFound) {
            return self.not_found(end).await;
        }
        self.count_left().await;
        if fault.code() == Some(Code::Unauthorized) && !self.kept().is_over() {
            return self.wait_with(Fault::unaccepted_recording());
        }
        self.phase.set(Phase::Fault(match fault.code() {
            Some(Code::Unauthorized) => Fault::expired_recording(),
            Some(Code::Forbidden) => Fault::closed(CloseCode::Forbidden),
            Some(Code::SessionEnded) => Fault::closed(CloseCode::SessionEnded),
            _ => fault.into(),
        }));
    }

    /// The session was there when this device began it: it was erased, or the relay has another store for a while.
    async fn not_found(self, end: Option<LinkEnd>) {
        let kept = self.kept();
        let fate = match end {
            // The link has said so already.
            Some(LinkEnd::Closed(CloseCode::SessionEnded)) => SessionFate::Erased,
            _ => mien_engine::session_fate(&sockets_base(), kept.session, &kept.tokens.owner).await,
        };
        self.count_left().await;
        let waits = self.pending() > 0;
        if fate == SessionFate::Erased {
            if !waits {
                kept::forget_erased(kept.session);
            }
            self.phase.set(Phase::Fault(Fault::erased()));
        } else if waits && end.is_none() {
            // As where the relay is away: the link says what is the matter, and goes on by itself.
            self.proceed();
        } else {
            self.wait_with(Fault::unknown_recording());
        }
    }

    /// Shows the trouble, and resumes on its own once it is over.
    fn wait_with(self, fault: Fault) {
        let waits = Phase::Fault(fault);
        self.phase.set(waits.clone());
        self.spawn(async move {
            loop {
                TimeoutFuture::new(ASK_AGAIN_MS).await;
                if self.phase.get_untracked() != waits {
                    return;
                }
                let answer = self.kept().relay().session(self.session()).await;
                let known = answer.is_ok_and(|session| session.status == SessionStatus::Active);
                if known && self.phase.get_untracked() == waits {
                    return self.begin();
                }
            }
        });
    }

    /// Asks the disk what was not sent, where no recorder is there to say so.
    pub(super) async fn count_left(self) {
        let unfinished = mien_engine::unfinished().await;
        let ours = unfinished.iter().filter(|unfinished| unfinished.session == self.session());
        self.left.set(ours.map(|unfinished| unfinished.pending).sum());
    }

    /// Every sample that was not sent.
    pub(in crate::pages::session) async fn unsent_samples(self) -> Vec<StoredSample> {
        match self.recorder.get_value() {
            Some(opening) => opening.await.unsent().await,
            None => mien_engine::unsent(self.session()).await,
        }
    }

    /// The person has decided: what was not sent goes, and so does what this device knows of the session.
    pub(in crate::pages::session) fn discard(self) {
        let erased = matches!(self.phase.get_untracked(), Phase::Fault(fault) if fault.kind == "erased");
        self.camera_off();
        self.let_go();
        if !erased {
            self.phase.set(Phase::Checking);
        }
        self.spawn(async move {
            mien_engine::discard(self.session()).await;
            self.status.set(None);
            self.left.set(0);
            if erased {
                kept::forget_erased(self.session());
            } else {
                kept::forget(self.session());
                self.router.go_on(Route::Home);
            }
        });
    }
}
