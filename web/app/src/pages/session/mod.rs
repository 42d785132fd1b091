//! A recording on this device, from the person's yes to the summary.

mod done;
mod history;
mod markers;
mod notices;
mod recording;

use leptos::prelude::*;
use mien_engine::api::{ApiFault, Relay};
use mien_engine::{LinkState, page_base};
use mien_shared::api::Summary;
use mien_shared::{Code, SessionId};

use self::done::Done;
use self::notices::NoticeList;
use self::recording::Recording;
use super::instrument::Instrument;
use super::scope::Scope;
use super::unsent::{DiscardUnsent, SaveUnsent};
use crate::components::{Brand, CameraPick, ConsentSteps, FaultCard, Link, LinkWords, StageState, text};
use crate::fault::Fault;
use crate::focus;
use crate::kept::{self, Kept};
use crate::model::{refusal, route::Route};
use crate::title;

/// Where a recording stands. One at a time, so that no two of its views can be open at once.
#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// Asking the relay whether the session still goes on.
    Checking,
    /// This tab has no yes for this session yet.
    Consent,
    /// Engine and camera are being opened; the words say which.
    Opening(&'static str),
    Live,
    Paused,
    /// The camera is off; what waits is being sent.
    Finishing,
    Done(Outcome),
    Fault(Fault),
}

/// What the relay has of a recording that was stopped, or why that is not known.
type Outcome = Result<Summary, NoSummary>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum NoSummary {
    /// Samples wait, or did when the time for them was up; the session is open and they go on being sent.
    Waiting,
    /// All is stored, and the relay did not close the session; the words say why.
    Open(String),
    /// The session is closed, and the relay did not give its summary; the words say why.
    Unread(String),
}

const LOOKING: &str = "Looking this session up";

/// Whether it is worth asking again: anything but a refusal may pass.
fn passes(fault: &ApiFault) -> bool {
    match fault {
        ApiFault::Problem(problem) => refusal::passes(problem.status),
        _ => true,
    }
}

#[component]
pub(crate) fn SessionPage(session: SessionId) -> impl IntoView {
    match kept::find(session) {
        Some(kept) => view! { <Known kept=kept /> }.into_any(),
        None => view! { <Unknown session=session /> }.into_any(),
    }
}

/// Asks the relay what it tells anybody, or whoever has signed in here, of a session that this device does not know.
#[component]
fn Unknown(session: SessionId) -> impl IntoView {
    let fault = RwSignal::new(kept::erased(session).then(Fault::erased));
    if fault.with_untracked(Option::is_none) {
        Scope::here().spawn(async move {
            let stored = match Relay::new(page_base(), kept::user_token()).session(session).await {
                Ok(_) => Some(true),
                Err(fault) if fault.code() == Some(Code::SessionNotFound) => Some(false),
                Err(_) => None,
            };
            fault.set(Some(Fault::forgotten(stored)));
        });
    }
    title::follow(move || fault.with(|fault| fault.as_ref().map_or(LOOKING, |fault| fault.title).to_owned()));
    focus::follow(move || fault.get());
    move || match fault.get() {
        Some(fault) => view! { <FaultCard fault=fault on_retry=Callback::new(|()| {}) /> }.into_any(),
        None => view! { <Waiting words=LOOKING /> }.into_any(),
    }
}

#[component]
fn Known(kept: Kept) -> impl IntoView {
    let recording = Recording::new(kept);
    recording.mind_cameras();
    recording.pause_when_left();
    recording.hold_only_copy();
    recording.keep_screen_on();
    recording.begin();
    // Views that stay while their phase changes within: the live view over opening, live and paused.
    let kind = Memo::new(move |_| match recording.phase.get() {
        Phase::Checking => Kind::Checking,
        Phase::Consent => Kind::Consent,
        Phase::Opening(_) | Phase::Live | Phase::Paused => Kind::Live,
        Phase::Finishing => Kind::Finishing,
        Phase::Done(outcome) => Kind::Done(outcome),
        Phase::Fault(fault) => Kind::Fault(fault),
    });
    focus::follow(move || kind.get());
    title::follow(move || recording.title());
    move || match kind.get() {
        Kind::Checking => view! { <Waiting words=LOOKING /> }.into_any(),
        Kind::Consent => view! { <Consent recording=recording /> }.into_any(),
        Kind::Live => view! { <Live recording=recording /> }.into_any(),
        Kind::Finishing => view! { <Finishing recording=recording /> }.into_any(),
        Kind::Done(outcome) => view! { <Done recording=recording outcome=outcome /> }.into_any(),
        Kind::Fault(fault) => {
            let leaves_unsent = fault.leaves_unsent();
            view! {
                <FaultCard fault=fault on_retry=Callback::new(move |()| recording.retry())
                    waiting=Signal::derive(move || recording.waiting())
                    on_pick=Some(Callback::new(move |file| recording.open_file(file)))>
                    {leaves_unsent.then(|| view! { <Unsent recording=recording /> })}
                </FaultCard>
            }
            .into_any()
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Checking,
    Consent,
    Live,
    Finishing,
    Done(Outcome),
    Fault(Fault),
}

#[component]
fn Waiting(words: &'static str) -> impl IntoView {
    view! {
        <main class="sheet">
            <section class="card" role="status">
                <Brand />
                <p prop:textContent=words></p>
                <progress aria-label=words></progress>
            </section>
        </main>
    }
}

#[component]
fn Consent(recording: Recording) -> impl IntoView {
    view! {
        <main class="sheet">
            <section class="card" data-testid="consent">
                <Brand />
                <h1 tabindex="-1">
                    "Continue “"<span translate="no" prop:textContent=recording.name()></span>"”"
                </h1>
                <ConsentSteps />
                <div class="row">
                    <button class="primary" data-testid="consent-allow" on:click=move |_| recording.agree()>
                        "Allow the camera"
                    </button>
                    <button on:click=move |_| recording.stop()>"End this session"</button>
                    <Link to=Route::Home class="button quiet">"Not now"</Link>
                </div>
            </section>
        </main>
    }
}

#[component]
fn Live(recording: Recording) -> impl IntoView {
    let reading = recording.reading;
    let has_frame = Memo::new(move |_| reading.frame.with(Option::is_some));
    let stage = move || match recording.phase.get() {
        Phase::Opening(what) => StageState::Waiting(what),
        Phase::Paused => StageState::Paused,
        _ if !has_frame.get() => StageState::Waiting("Waiting for the first picture"),
        _ => StageState::Showing,
    };
    let status = recording.status;
    let link = Memo::new(move |_| {
        status.with(|status| {
            status.as_ref().map_or_else(
                || LinkWords::of(&LinkState::Connecting, None, recording.feed(), 0),
                |status| LinkWords::of(&status.link, status.trouble, recording.feed(), status.pending),
            )
        })
    });
    let pending = Memo::new(move |_| recording.pending());
    let sent = Signal::derive(move || Some(recording.sent.get()));
    let live = Memo::new(move |_| recording.phase.get() == Phase::Live);
    let camera = view! {
        <CameraPick cameras=recording.cameras open=recording.camera disabled=Signal::derive(move || !live.get())
            on_pick=Callback::new(move |id| recording.use_camera(id)) />
    };
    view! {
        <Instrument
            title=recording.name()
            link=link
            sent=sent
            pending=pending
            stage=Signal::derive(stage)
            progress=recording.progress()
            reading=reading
            session=Some(recording.session())
            share_link=Some(recording.share_link())
            on_stage=Some(camera.into_any())
            on_pause=Callback::new(move |()| recording.toggle())
            on_stop=Callback::new(move |()| recording.stop())
            on_mark=Callback::new(move |flag| recording.spawn(markers::store(recording, flag)))
            on_unmark=Callback::new(move |flag| recording.spawn(markers::delete(recording, flag)))
        >
            <NoticeList recording=recording />
        </Instrument>
    }
}

/// What a person may do with samples that the relay does not take; nothing while there are none.
#[component]
fn Unsent(recording: Recording) -> impl IntoView {
    let waits = Memo::new(move |_| recording.pending() > 0);
    view! {
        <Show when=move || waits.get()>
            <div class="row" data-testid="unsent">
                <SaveUnsent session=recording.session() samples=move || recording.unsent_samples() />
                <DiscardUnsent on_discard=Callback::new(move |()| recording.discard()) />
            </div>
        </Show>
    }
}

#[component]
fn Finishing(recording: Recording) -> impl IntoView {
    let words = move || match recording.pending() {
        0 => "Closing the session.".to_owned(),
        _ => recording.waiting().unwrap_or_default(),
    };
    view! {
        <main class="sheet">
            <section class="card" role="status" data-testid="finishing">
                <Brand />
                <h1 tabindex="-1" prop:textContent=recording.stopped()></h1>
                <p translate="no" lang="en" prop:textContent=text(words)></p>
                <progress aria-label="Sending the last samples"></progress>
            </section>
        </main>
    }
}
