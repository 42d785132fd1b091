//! Recordings of this device whose samples still wait for the relay.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_engine::{LinkEnd, LinkState, Recorder, RecorderStatus, SessionAccess, Unfinished, wall_now};
use mien_shared::SessionId;
use mien_shared::problem::CloseCode;

use super::scope::Scope;
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
    /// Sessions that the relay takes nothing more of, and why.
    refused: RwSignal<Vec<(SessionId, &'static str)>>,
    sending: RwSignal<Option<SessionId>>,
    /// What came of the last thing that was asked for.
    outcome: RwSignal<Option<(SessionId, Outcome)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Stored,
    Refused,
    NotNow,
    Discarded,
}

impl Outcome {
    /// What it says of samples that wait still, or no longer; `None` where it is not true any more.
    const fn words(self, waits: bool) -> Option<&'static str> {
        match (self, waits) {
            (Self::Stored, false) => Some("Everything is stored."),
            (Self::Discarded, false) => Some("Discarded."),
            (Self::Refused, true) => Some(
                "The relay does not take them any more. They stay on this device until you discard them.",
            ),
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
    let session = unfinished.access.session;
    let known = kept::find(session);
    let name = known.as_ref().map_or_else(|| "An earlier session".to_owned(), kept::Kept::name);
    let waits = if unfinished.pending == 1 { "sample waits" } else { "samples wait" };
    let elsewhere = busy(unfinished.touched_ms, wall_now().0);
    let refused =
        move || list.refused.with(|all| all.iter().find(|(other, _)| *other == session).map(|(_, why)| *why));
    let ways_on = move || match refused() {
        Some(why) => view! { <p prop:textContent=why></p><Discard list=list session=session /> }.into_any(),
        // Sending takes a recording over from the tab that it runs in.
        None if elsewhere => {
            view! { <p class="hint">"It seems to be going on in another tab."</p> }.into_any()
        }
        None => {
            let access = unfinished.access.clone();
            view! {
                {known.is_some().then(|| view! { <Link to=Route::Session(session) class="button">"Continue"</Link> })}
                <button disabled=move || list.sending.get().is_some() on:click=move |_| list.send(access.clone())>"Send them now"</button>
            }
            .into_any()
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

/// Two clicks, since there is no way back.
#[component]
fn Discard(list: List, session: SessionId) -> impl IntoView {
    let armed = RwSignal::new(false);
    view! {
        <Show
            when=move || armed.get()
            fallback=move || view! { <button data-testid="discard" on:click=move |_| armed.set(true)>"Discard"</button> }
        >
            <button class="stop" data-testid="discard-confirm" on:click=move |_| list.discard(session)>"Discard for good"</button>
            <button class="quiet" on:click=move |_| armed.set(false)>"Keep"</button>
        </Show>
    }
}

impl List {
    fn said(self) -> &'static str {
        if self.sending.get().is_some() {
            return "Sending";
        }
        let Some((session, outcome)) = self.outcome.get() else { return "" };
        let waits = self.waiting.with(|all| all.iter().any(|other| other.access.session == session));
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
                LinkState::Ended(LinkEnd::Closed(close)) => refusal::for_good(close),
                _ => None,
            };
            let outcome = match refusal {
                _ if status.pending == 0 => Outcome::Stored,
                Some(_) => Outcome::Refused,
                None => Outcome::NotNow,
            };
            self.outcome.set(Some((session, outcome)));
            if let Some(why) = refusal {
                self.refused.update(|all| all.push((session, why)));
            }
            self.waiting.set(mien_engine::unfinished().await);
            self.sending.set(None);
            self.look();
        });
    }

    fn discard(self, session: SessionId) {
        self.scope.spawn(async move {
            mien_engine::discard(session).await;
            self.outcome.set(Some((session, Outcome::Discarded)));
            self.look();
        });
    }
}

/// Sends what waits, with a new token where the old one has expired and the page can get another.
async fn send(access: SessionAccess) -> RecorderStatus {
    let session = access.session;
    let sent_before = kept::sent(session);
    let recorder = Recorder::open(access, |_| {}).await;
    let all = recorder.complete(PATIENCE_MS).await;
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
