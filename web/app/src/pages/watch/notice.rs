//! What a watching page says beside its sources, and in place of them.

use std::time::Duration;

use leptos::prelude::*;
use mien_engine::Behind;

use super::phase::Phase;
use super::state::State;
use crate::browser::time_of_day;
use crate::components::{Link, text};
use crate::model::{route::Route, trouble};

/// A shorter delay is not worth a notice, which would make the page jump.
const NOTICE_AFTER: Duration = Duration::from_millis(300);

/// What a delay, an interruption or the end means for what is shown, and what to do.
#[component]
pub(super) fn Notice(state: State) -> impl IntoView {
    let phase = Memo::new(move |_| std::mem::discriminant(&state.phase.get()));
    let is_behind = Memo::new(move |_| matches!(state.phase.get(), Phase::CatchingUp(_)));
    let lasting = RwSignal::new(false);
    Effect::new(move |_| {
        if !is_behind.get() {
            lasting.set(false);
            return;
        }
        let timer = set_timeout_with_handle(
            move || {
                lasting.try_set(true);
            },
            NOTICE_AFTER,
        )
        .ok();
        on_cleanup(move || timer.iter().for_each(TimeoutHandle::clear));
    });
    move || {
        // Not `track`: a memo that is only tracked is never computed, and so never changes (reactive_graph 0.2.16).
        phase.get();
        match state.phase.get_untracked() {
            Phase::CatchingUp(_) if lasting.get() => {
                view! { <CatchingUp state=state /> }.into_any()
            }
            Phase::Offline { since_ms } => view! {
                <div class="notice warn" role="status" data-testid="watch-offline">
                    <p prop:textContent=text(move || match state.trouble.get() {
                        Some(trouble) => trouble::to_watchers(trouble),
                        None => format!(
                            "The connection to the relay was lost at {}. Mien keeps trying; what is recorded meanwhile will arrive once it is back. Nothing is lost.",
                            time_of_day(since_ms),
                        ),
                    })></p>
                    <button on:click=move |_| state.connect_now()>"Try now"</button>
                </div>
            }
            .into_any(),
            Phase::Completed => view! {
                <div class="notice" role="status" data-testid="watch-over">
                    <p prop:textContent="The session has ended. What it showed stays here until you leave the page."></p>
                    <Link to=Route::Home class="button">"Back to the home page"</Link>
                </div>
            }
            .into_any(),
            _ => ().into_any(),
        }
    }
}

/// How far behind the present the view is.
#[component]
fn CatchingUp(state: State) -> impl IntoView {
    let behind = Memo::new(move |_| match state.phase.get() {
        Phase::CatchingUp(behind) => behind,
        _ => None,
    });
    let words = move || {
        if state.is_completed.get() {
            "The session has ended; what it showed last is being loaded."
        } else {
            "You are seeing samples recorded earlier. The view catches up on its own; nothing is left out."
        }
    };
    let bar = move || match behind.get() {
        Some(Behind { ms, most_ms }) => view! {
            <progress aria-label="Caught up" max=most_ms.max(1).to_string()
                value=most_ms.saturating_sub(ms).to_string()></progress>
        }
        .into_any(),
        None => view! { <progress aria-label="Caught up"></progress> }.into_any(),
    };
    view! {
        <div class="notice catching-up" data-testid="watch-catching-up">
            <p prop:textContent=text(words)></p>
            {bar}
        </div>
    }
}

/// In place of the sources while there are none.
#[component]
pub(super) fn Empty(state: State) -> impl IntoView {
    let phase = Memo::new(move |_| std::mem::discriminant(&state.phase.get()));
    let words = move || {
        phase.get();
        match state.phase.get_untracked() {
            Phase::Connecting => view! {
                <p prop:textContent="Connecting to the relay that has the session"></p>
                <progress aria-label="Connecting"></progress>
            }
            .into_any(),
            Phase::CatchingUp(_) | Phase::Live | Phase::Quiet => view! {
                <p prop:textContent="Nothing has been recorded yet. The numbers appear here as soon as a camera runs."></p>
            }
            .into_any(),
            // The notice above says what to do.
            Phase::Completed => view! { <p prop:textContent="Nothing was recorded."></p> }.into_any(),
            Phase::Offline { .. } | Phase::Fault(_) => {
                view! { <p prop:textContent="Nothing has arrived so far."></p> }.into_any()
            }
        }
    };
    view! { <div class="empty" role="status">{words}</div> }
}
