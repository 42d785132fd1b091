//! What the relay says about a session, and what follows: the recording begins, ends, or waits until the session is
//! known again.

use futures_util::future::{Either, join, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_engine::api::ApiFault;
use mien_engine::{LinkEnd, SessionFate, StorageMode, sockets_base};
use mien_shared::problem::CloseCode;
use mien_shared::{Code, SessionStatus};

use super::phase::Phase;
use super::state::Recording;
use super::{history, link, markers, source, summary, tokens, unsent};
use crate::fault::{Fault, is_transient};
use crate::model::timeline::Timeline;
use crate::saved::{self, SavedRecording};

/// How long the relay may take to say whether a session is active before the camera opens without it: a reload must
/// work offline too.
const ANSWER_MS: u32 = 2_000;
/// How often a relay that does not know the session, or not its token, is asked whether it does now.
const ASK_AGAIN_MS: u32 = 5_000;

/// A recording that this device knows, about to be looked up.
pub(crate) fn recording(saved: SavedRecording) -> Recording {
    Recording::new(saved, link_ended)
}

/// Looks the session up, then continues as far as the person has agreed.
pub(crate) fn begin(recording: Recording) {
    recording.phase.set(Phase::LookingUp);
    recording.spawn(async move {
        let saved = recording.saved();
        let relay = saved.relay();
        let call = Box::pin(relay.session(saved.session));
        let answer = match select(call, TimeoutFuture::new(ANSWER_MS)).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        };
        match answer {
            Some(Ok(session)) if session.status == SessionStatus::Completed => summary::show(recording).await,
            Some(Err(fault @ ApiFault::Problem(_))) if !is_transient(&fault) => {
                if fault.code() == Some(Code::Unauthorized) && tokens::renew(recording).await {
                    begin(recording);
                } else {
                    refused(recording, fault, None).await;
                }
            }
            Some(Ok(_)) => {
                if saved.should_renew() {
                    tokens::renew_ahead(recording);
                }
                // Once: another try after a fault still has it all.
                if recording.signals.timeline.with_untracked(Timeline::is_empty) {
                    join(markers::load(recording), history::load(recording)).await;
                }
                proceed(recording);
            }
            // Away, or in trouble: the outbox takes what the camera gives until the relay is back.
            Some(Err(_)) | None => proceed(recording),
        }
    });
}

/// The person agrees, and may want their neutral face to be taken first.
pub(crate) fn agree(recording: Recording, neutral_first: bool) {
    saved::save_consent(recording.session());
    saved::save_neutral_first(recording.session(), neutral_first);
    saved::save_wants_neutral(neutral_first);
    source::open_camera(recording);
}

/// Tries again after a fault.
pub(crate) fn retry(recording: Recording) {
    source::turn_off(recording);
    begin(recording);
}

fn proceed(recording: Recording) {
    if !saved::has_consent(recording.session()) {
        recording.phase.set(Phase::Consent);
    } else if saved::is_paused(recording.session()) {
        // The camera stays off until the person resumes; earlier samples that wait are sent all the same.
        recording.phase.set(Phase::Paused);
        recording.spawn(async move { drop(link::recorder(recording).await) });
    } else {
        source::open_camera(recording);
    }
}

/// The relay has ended the link. Expired tokens are renewed while the recording continues; any other end is final, and
/// the camera goes off.
fn link_ended(recording: Recording, end: LinkEnd) {
    recording.spawn(async move {
        if end == LinkEnd::Closed(CloseCode::Unauthorized) && tokens::renew(recording).await {
            drop(link::recorder(recording).await);
            return;
        }
        if recording.phase.with_untracked(Phase::is_after_stop) {
            return;
        }
        source::turn_off(recording);
        // The recorder writes what is left as it is dropped. Without a disk it has the only copy.
        if recording
            .recorder_status
            .with_untracked(|status| status.as_ref().is_some_and(|status| status.mode == StorageMode::Disk))
        {
            link::close(recording);
        }
        recording.phase.set(Phase::LookingUp);
        explain_end(recording, end).await;
    });
}

/// After a final end the relay says what happened to the session. If it is still active, the link itself says why it
/// ended.
pub(super) async fn explain_end(recording: Recording, end: LinkEnd) {
    match recording.saved().relay().session(recording.session()).await {
        Ok(session) if session.status == SessionStatus::Completed => summary::show(recording).await,
        Err(fault @ ApiFault::Problem(_)) if !is_transient(&fault) => {
            refused(recording, fault, Some(end)).await;
        }
        Ok(_) | Err(_) => recording.phase.set(Phase::Fault(match end {
            LinkEnd::Closed(CloseCode::Unauthorized) => Fault::expired_recording(),
            LinkEnd::Closed(close) => Fault::closed(close),
            LinkEnd::TakenOver | LinkEnd::Done => Fault::superseded(),
        })),
    }
}

/// `end`: how the link ended before, if it did.
async fn refused(recording: Recording, fault: ApiFault, end: Option<LinkEnd>) {
    if fault.code() == Some(Code::SessionNotFound) {
        return not_found(recording, end).await;
    }
    unsent::count(recording).await;
    if fault.code() == Some(Code::Unauthorized) && !recording.saved().is_expired() {
        return wait_with(recording, Fault::unaccepted_recording());
    }
    recording.phase.set(Phase::Fault(match fault.code() {
        Some(Code::Unauthorized) => Fault::expired_recording(),
        Some(Code::Forbidden) => Fault::closed(CloseCode::Forbidden),
        Some(Code::SessionEnded) => Fault::closed(CloseCode::SessionEnded),
        _ => fault.into(),
    }));
}

/// The session existed when this device began it: it was erased, or the relay has another store for a while.
async fn not_found(recording: Recording, end: Option<LinkEnd>) {
    let saved = recording.saved();
    let fate = match end {
        // The link has already said so.
        Some(LinkEnd::Closed(CloseCode::SessionEnded)) => SessionFate::Erased,
        _ => mien_engine::session_fate(&sockets_base(), saved.session, &saved.tokens.owner).await,
    };
    unsent::count(recording).await;
    let has_unsent = recording.pending() > 0;
    if fate == SessionFate::Erased {
        if !has_unsent {
            saved::forget_erased(saved.session);
        }
        recording.phase.set(Phase::Fault(Fault::erased()));
    } else if has_unsent && end.is_none() {
        // As when the relay is away: the link says what is wrong, and keeps trying.
        proceed(recording);
    } else {
        wait_with(recording, Fault::unknown_recording());
    }
}

/// Shows the fault, and resumes on its own once it is over.
fn wait_with(recording: Recording, fault: Fault) {
    let waiting = Phase::Fault(fault);
    recording.phase.set(waiting.clone());
    recording.spawn(async move {
        loop {
            TimeoutFuture::new(ASK_AGAIN_MS).await;
            if recording.phase.get_untracked() != waiting {
                return;
            }
            let answer = recording.saved().relay().session(recording.session()).await;
            let is_known = answer.is_ok_and(|session| session.status == SessionStatus::Active);
            if is_known && recording.phase.get_untracked() == waiting {
                return begin(recording);
            }
        }
    });
}
