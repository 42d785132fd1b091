//! Recordings of this device whose samples still wait for the relay.

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

use super::scope::Scope;
use super::unsent::{DiscardUnsent, SaveUnsent};
use crate::components::Link;
use crate::kept;
use crate::model::recordings::{BUSY_MS, busy};
use crate::model::{format, refusal, route::Route};

/// How long sending the rest of a former recording may take.
const PATIENCE_MS: u32 = 30_000;

/// A handle; a copy is the same list.
#[derive(Clone, Copy)]
struct List {
    scope: Scope,
    waiting: RwSignal<Vec<Unfinished>>,
    /// Sessions that the relay takes nothing of, and why.
    refused: RwSignal<Vec<(SessionId, Refusal)>>,
    sending: RwSignal<Option<SessionId>>,
    /// What came of the last thing that was asked for.
    outcome: RwSignal<Option<(SessionId, Outcome)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refusal {
    why: &'static str,
    /// Whether a later try may do.
    passes: bool,
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
    /// What it says of samples that wait still, or no longer; `None` where it is not true any more.
    const fn words(self, waits: bool) -> Option<&'static str> {
        match (self, waits) {
            (Self::Stored, false) => Some("Everything is stored."),
            (Self::Discarded, false) => Some("Discarded."),
            (Self::Refused, true) => {
                Some("The relay no longer accepts them. They stay on this device until you discard them.")
            }
            (Self::Unknown, true) => {
                Some("Nothing was sent. The samples stay on this device; try again later.")
            }
            (Self::NotNow, true) => {
                Some("The relay did not take everything now. Nothing was lost; try again later.")
            }
            _ => None,
        }
    }
}

#[component]
pub(crate) fn UnfinishedList() -> impl IntoView {
    let list = List {
        scope: Scope::here(),
        waiting: RwSignal::new(Vec::new()),
        refused: RwSignal::new(Vec::new()),
        sending: RwSignal::new(None),
        outcome: RwSignal::new(None),
    };
    list.look();
    let said = Memo::new(move |_| list.said());
    let nothing = move || list.waiting.with(Vec::is_empty) && said.get().is_empty();
    view! {
        <ul class="unfinished" hidden=nothing>
            {move || list.waiting.get().into_iter().map(|unfinished| view! { <Row list=list unfinished=unfinished /> }).collect_view()}
            <li role="status" class="hint" prop:textContent=said></li>
        </ul>
    }
}

#[component]
fn Row(list: List, unfinished: Unfinished) -> impl IntoView {
    let session = unfinished.session;
    let access = unfinished.access.clone();
    let known = kept::find(session);
    let name = known.as_ref().map_or_else(|| "An earlier session".to_owned(), kept::Kept::name);
    let waits = if unfinished.pending == 1 { "sample waits" } else { "samples wait" };
    let elsewhere = busy(unfinished.touched_ms, wall_now().0);
    let refused = move || {
        list.refused.with(|all| all.iter().rfind(|(other, _)| *other == session).map(|(_, refusal)| *refusal))
    };
    let discard = move || {
        let samples = move || mien_engine::unsent(session);
        view! {
            <SaveUnsent session=session samples=samples />
            <DiscardUnsent on_discard=Callback::new(move |()| list.discard(session)) />
        }
    };
    let ways_on = move || {
        match (refused(), access.clone()) {
        // Sending takes a recording over from the tab that it runs in.
        (None, _) if elsewhere => {
            view! { <p class="hint">"It seems to be going on in another tab."</p> }.into_any()
        }
        (Some(Refusal { why, passes: false }), _) => view! { <p prop:textContent=why></p>{discard()} }.into_any(),
        (None, None) => {
            view! { <p prop:textContent="What belongs to them is lost, so that they cannot be sent."></p>{discard()} }
                .into_any()
        }
        (refused, Some(access)) => view! {
            {refused.map(|refusal| view! { <p prop:textContent=refusal.why></p> })}
            {known.is_some().then(|| view! { <Link to=Route::Session(session) class="button">"Continue"</Link> })}
            <button data-testid="send-unsent" disabled=move || list.sending.get().is_some()
                on:click=move |_| list.send(access.clone())>"Send them now"</button>
            {refused.map(|_| discard())}
        }
        .into_any(),
        (Some(refusal), None) => view! { <p prop:textContent=refusal.why></p>{discard()} }.into_any(),
    }
    };
    view! {
        <li class="notice" data-testid="unfinished">
            <p>
                <span translate="no" prop:textContent=name></span>": "
                <span translate="no" prop:textContent=format::grouped(unfinished.pending)></span>" "
                <span prop:textContent=waits></span>" on this device for the relay."
            </p>
            {ways_on}
        </li>
    }
}

impl List {
    fn said(self) -> &'static str {
        if self.sending.get().is_some() {
            return "Sending";
        }
        let Some((session, outcome)) = self.outcome.get() else { return "" };
        let waits = self.waiting.with(|all| all.iter().any(|other| other.session == session));
        outcome.words(waits).unwrap_or_default()
    }

    /// Looks again for as long as something seems to be recorded elsewhere.
    fn look(self) {
        self.scope.spawn(async move {
            loop {
                let found = mien_engine::unfinished().await;
                let wait = found.iter().any(|unfinished| busy(unfinished.touched_ms, wall_now().0));
                self.waiting.set(found);
                if !wait {
                    return;
                }
                TimeoutFuture::new(BUSY_MS as u32).await;
            }
        });
    }

    fn send(self, access: SessionAccess) {
        let session = access.session;
        self.sending.set(Some(session));
        self.scope.spawn(async move {
            let status = send(access).await;
            let refusal = match status.link {
                _ if status.trouble == Some(Trouble::UnknownSession) => {
                    Some(Refusal { why: "The relay does not know this recording.", passes: true })
                }
                LinkState::Ended(LinkEnd::Closed(CloseCode::SessionEnded)) => {
                    Some(Refusal { why: ended(session).await, passes: false })
                }
                LinkState::Ended(LinkEnd::Closed(close)) => {
                    refusal::for_good(close).map(|why| Refusal { why, passes: false })
                }
                _ => None,
            };
            let outcome = match refusal {
                _ if status.pending == 0 => Outcome::Stored,
                Some(Refusal { passes: true, .. }) => Outcome::Unknown,
                Some(Refusal { passes: false, .. }) => Outcome::Refused,
                None => Outcome::NotNow,
            };
            self.outcome.set(Some((session, outcome)));
            if let Some(refusal) = refusal {
                self.refused.update(|all| all.push((session, refusal)));
            }
            self.waiting.set(mien_engine::unfinished().await);
            self.sending.set(None);
            self.look();
        });
    }

    fn discard(self, session: SessionId) {
        self.scope.spawn(async move {
            mien_engine::discard(session).await;
            self.refused.update(|all| all.retain(|(other, _)| *other != session));
            self.outcome.set(Some((session, Outcome::Discarded)));
            self.look();
        });
    }
}

/// Why a session takes no more.
async fn ended(session: SessionId) -> &'static str {
    let asked = match kept::find(session) {
        Some(kept) => kept.relay().session(session).await,
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

/// Sends what waits, with a new token where the old one has expired and the page can get another.
async fn send(access: SessionAccess) -> RecorderStatus {
    let session = access.session;
    let sent_before = kept::sent(session);
    let (tell, mut unknown) = mpsc::channel(1);
    let tell = std::cell::RefCell::new(tell);
    // Where the page lies by now, which may be under another path.
    let access = SessionAccess { relay_origin: sockets_base(), ..access };
    let recorder = Recorder::open(access, move |event| {
        if let RecorderEvent::Status(RecorderStatus { trouble: Some(Trouble::UnknownSession), .. }) = event {
            // One word is enough.
            let _ = tell.borrow_mut().try_send(());
        }
    })
    .await;
    let all = match select(Box::pin(recorder.complete(PATIENCE_MS)), unknown.next()).await {
        Either::Left((all, _)) => all,
        // It would try for as long; the person need not wait for that.
        Either::Right(_) => return recorder.status(),
    };
    let expired = LinkState::Ended(LinkEnd::Closed(CloseCode::Unauthorized));
    if !all
        && recorder.status().link == expired
        && let Some(tokens) = kept::renew(session).await
    {
        recorder.resume(&tokens.ingest);
        recorder.complete(PATIENCE_MS).await;
    }
    let status = recorder.status();
    if kept::find(session).is_some() {
        kept::keep_sent(session, sent_before + status.bytes_sent);
    }
    status
}
