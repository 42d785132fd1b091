//! The live view behind a share link: figures for every source, as the relay has stored them.

mod earlier;
mod markers;
mod notice;
mod phase;
mod source;
mod source_state;
mod state;
mod view;

use leptos::prelude::*;
use mien_shared::SessionId;

use self::phase::Phase;
use self::state::State;
use self::view::WatchView;
use crate::browser::{self, HistoryStep, focus};
use crate::components::FaultCard;
use crate::fault::Fault;
use crate::model::route::Route;
use crate::saved;

#[component]
pub(crate) fn WatchPage(session: SessionId) -> impl IntoView {
    match token(session) {
        Some(token) => view! { <Watching session=session token=token /> }.into_any(),
        None => {
            view! { <FaultCard fault=Fault::incomplete_link() on_retry=Callback::new(|()| {}) /> }.into_any()
        }
    }
}

/// The token from the fragment, which then leaves the address bar and the history; after a reload, this tab's.
fn token(session: SessionId) -> Option<String> {
    let fragment = browser::fragment();
    if fragment.is_empty() {
        return saved::watch_token(session);
    }
    browser::show_address(&Route::Watch(session).address(), HistoryStep::Replace);
    saved::save_watch_token(session, &fragment);
    Some(fragment)
}

#[component]
fn Watching(session: SessionId, token: String) -> impl IntoView {
    let state = State::new(session, token);
    state.open();
    let fault = Memo::new(move |_| match state.phase.get() {
        Phase::Fault(fault) => Some(fault),
        _ => None,
    });
    let retry = Callback::new(move |()| state.open());
    focus::follow(move || fault.get());
    move || match fault.get() {
        Some(fault) => view! { <FaultCard fault=fault on_retry=retry /> }.into_any(),
        None => view! { <WatchView state=state session=session /> }.into_any(),
    }
}
