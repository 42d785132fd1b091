//! A recording on this device, from the person's consent to the summary.

mod recording;
mod views;

use leptos::prelude::*;
use mien_engine::api::Relay;
use mien_engine::page_base;
use mien_shared::{Code, SessionId};

use self::recording::{LOOKING_UP, Outcome, Phase, Recording, cameras, leave, lookup, screen, source};
use self::views::{Consent, Finishing, Live, LookingUp, Stopped, UnsentActions};
use crate::browser::{focus, title};
use crate::components::FaultCard;
use crate::fault::Fault;
use crate::page_owner::PageOwner;
use crate::saved::{self, SavedRecording};

#[component]
pub(crate) fn SessionPage(session: SessionId) -> impl IntoView {
    match saved::find(session) {
        Some(saved) => view! { <Known saved=saved /> }.into_any(),
        None => view! { <Unknown session=session /> }.into_any(),
    }
}

/// Asks the relay, as the user who signed in here or without a token, about a session that this device does not know.
#[component]
fn Unknown(session: SessionId) -> impl IntoView {
    let fault = RwSignal::new(saved::was_erased(session).then(Fault::erased));
    if fault.with_untracked(Option::is_none) {
        PageOwner::current().spawn(async move {
            let stored = match Relay::new(page_base(), saved::user_token()).session(session).await {
                Ok(_) => Some(true),
                Err(fault) if fault.code() == Some(Code::SessionNotFound) => Some(false),
                Err(_) => None,
            };
            fault.set(Some(Fault::forgotten(stored)));
        });
    }
    title::follow(move || {
        fault.with(|fault| fault.as_ref().map_or(LOOKING_UP, |fault| fault.title).to_owned())
    });
    focus::follow(move || fault.get());
    move || match fault.get() {
        Some(fault) => view! { <FaultCard fault=fault on_retry=Callback::new(|()| {}) /> }.into_any(),
        None => view! { <LookingUp /> }.into_any(),
    }
}

#[component]
fn Known(saved: SavedRecording) -> impl IntoView {
    let recording = lookup::recording(saved);
    cameras::follow(recording);
    leave::pause_when_left(recording);
    leave::confirm_only_copy(recording);
    screen::keep_on(recording);
    lookup::begin(recording);
    let shown = Memo::new(move |_| Shown::of(recording.phase().get()));
    focus::follow(move || shown.get());
    title::follow(move || recording.tab_title());
    move || match shown.get() {
        Shown::LookingUp => view! { <LookingUp /> }.into_any(),
        Shown::Consent => view! { <Consent recording=recording /> }.into_any(),
        Shown::Live => view! { <Live recording=recording /> }.into_any(),
        Shown::Finishing => view! { <Finishing recording=recording /> }.into_any(),
        Shown::Stopped(outcome) => view! { <Stopped recording=recording outcome=outcome /> }.into_any(),
        Shown::Fault(fault) => view! { <Failed recording=recording fault=fault /> }.into_any(),
    }
}

/// Which view is open. The live view stays while its recording opens, is live or pauses.
#[derive(Clone, Debug, PartialEq)]
enum Shown {
    LookingUp,
    Consent,
    Live,
    Finishing,
    Stopped(Outcome),
    Fault(Fault),
}

impl Shown {
    fn of(phase: Phase) -> Self {
        match phase {
            Phase::LookingUp => Self::LookingUp,
            Phase::Consent => Self::Consent,
            Phase::Opening(_) | Phase::Live | Phase::Paused => Self::Live,
            Phase::Finishing => Self::Finishing,
            Phase::Stopped(outcome) => Self::Stopped(outcome),
            Phase::Fault(fault) => Self::Fault(fault),
        }
    }
}

#[component]
fn Failed(recording: Recording, fault: Fault) -> impl IntoView {
    let leaves_unsent = fault.kind.leaves_unsent();
    view! {
        <FaultCard fault=fault on_retry=Callback::new(move |()| lookup::retry(recording))
            unsent=Signal::derive(move || recording.unsent_text())
            on_pick=Some(Callback::new(move |file| source::open_file(recording, file)))>
            {leaves_unsent.then(|| view! { <UnsentActions recording=recording /> })}
        </FaultCard>
    }
}
