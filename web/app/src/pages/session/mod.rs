//! A recording on this device, from the person's yes to the summary.

mod done;
mod history;
mod markers;
mod recording;

use leptos::prelude::*;
use mien_engine::api::ApiFault;
use mien_engine::{LinkState, StorageMode};
use mien_shared::SessionId;
use mien_shared::api::Summary;

use self::done::Done;
use self::recording::Recording;
use super::instrument::Instrument;
use crate::components::{
    Brand, CameraPick, ConsentSteps, FaultCard, Link, LinkWords, StageState, waiting_words,
};
use crate::fault::Fault;
use crate::focus;
use crate::kept::{self, Kept};
use crate::model::{format, refusal, route::Route};

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

/// How a recording ended.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    /// What the relay has, or why it could not be asked.
    summary: Result<Summary, String>,
}

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
        None => view! { <FaultCard fault=Fault::forgotten() on_retry=Callback::new(|()| {}) /> }.into_any(),
    }
}

#[component]
fn Known(kept: Kept) -> impl IntoView {
    let recording = Recording::new(kept);
    recording.keep_sent_when_hidden();
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
    move || match kind.get() {
        Kind::Checking => view! { <Waiting words="Looking this session up" /> }.into_any(),
        Kind::Consent => view! { <Consent recording=recording /> }.into_any(),
        Kind::Live => view! { <Live recording=recording /> }.into_any(),
        Kind::Finishing => view! { <Finishing recording=recording /> }.into_any(),
        Kind::Done(outcome) => view! { <Done recording=recording outcome=outcome /> }.into_any(),
        Kind::Fault(fault) => view! {
            <FaultCard fault=fault on_retry=Callback::new(move |()| recording.retry())
                on_pick=Some(Callback::new(move |file| recording.open_file(file))) />
        }
        .into_any(),
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
                <p>{words}</p>
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
                <h1 tabindex="-1">{format!("Continue “{}”", recording.name())}</h1>
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
        _ if !has_frame.get() => StageState::Waiting("Waiting for the camera’s first picture"),
        _ => StageState::Showing,
    };
    let status = recording.status;
    let link = Memo::new(move |_| {
        status.with(|status| {
            status.as_ref().map_or_else(
                || LinkWords::of(&LinkState::Connecting, 0),
                |status| LinkWords::of(&status.link, status.pending),
            )
        })
    });
    let pending = Memo::new(move |_| recording.pending());
    let sent = Signal::derive(move || Some(recording.sent.get()));
    let memory_only = Memo::new(move |_| status.with(|status| status.as_ref().and_then(memory_words)));
    let dropped =
        Memo::new(move |_| status.with(|status| status.as_ref().map_or(0, |status| status.dropped)));
    let rejected =
        Memo::new(move |_| status.with(|status| status.as_ref().map_or(0, |status| status.rejected)));
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
            {move || memory_only.get().map(|words| view! {
                <div class="notice warn" role="status" data-testid="memory-only"><p>{words}</p></div>
            })}
            {move || (dropped.get() > 0).then(|| view! {
                <div class="notice warn" role="status" data-testid="dropped">
                    <p>{format!(
                        "{} lost: this device had no room, or did not store them fast enough.",
                        format::count(dropped.get(), "sample is", "samples are")
                    )}</p>
                </div>
            })}
            {move || (rejected.get() > 0).then(|| view! {
                <div class="notice warn" role="status" data-testid="rejected">
                    <p>{format!("The relay refused {}.", format::count(rejected.get(), "sample", "samples"))}</p>
                </div>
            })}
            {move || recording.notice.get().map(|words| view! {
                <div class="notice" role="status" data-testid="notice">
                    <p>{words}</p>
                    <button class="quiet" on:click=move |_| recording.notice.set(None)>"Close"</button>
                </div>
            })}
        </Instrument>
    }
}

/// Says that samples wait in memory only, and why; nothing while they are on the disk.
fn memory_words(status: &mien_engine::RecorderStatus) -> Option<String> {
    let StorageMode::Memory { why } = status.mode else { return None };
    let why = match why {
        mien_engine::MemoryReason::Unavailable => "This browser keeps nothing on the disk (private mode?)",
        mien_engine::MemoryReason::DiskFull => "The disk, or this site’s share of it, is full",
        mien_engine::MemoryReason::Broken => "This browser’s storage failed",
    };
    Some(format!(
        "{why}, so samples wait in memory until they are stored. Keep this page open until nothing waits."
    ))
}

#[component]
fn Finishing(recording: Recording) -> impl IntoView {
    let words = move || match recording.pending() {
        0 => "Closing the session.".to_owned(),
        pending => waiting_words(pending),
    };
    view! {
        <main class="sheet">
            <section class="card" role="status" data-testid="finishing">
                <Brand />
                <h1 tabindex="-1">"The camera is off"</h1>
                <p>{words}</p>
                <progress aria-label="Sending the last samples"></progress>
            </section>
        </main>
    }
}
