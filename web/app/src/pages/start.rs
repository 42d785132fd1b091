//! The step before a recording: a title, what will happen, and the person's consent.

use std::time::Duration;

use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use mien_engine::api::Relay;
use mien_engine::page_base;
use mien_shared::Code;
use mien_shared::api::CreateSession;
use mien_shared::limits::MAX_TITLE_CHARS;

use crate::components::{Brand, ConsentSteps, Link, NeutralOffer, text};
use crate::fault::sentences;
use crate::model::route::Route;
use crate::page_owner::PageOwner;
use crate::router::Router;
use crate::saved::{self, SavedRecording};

/// Longer than any healthy relay takes.
const SLOW: Duration = Duration::from_secs(8);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Asking,
    Creating,
    /// The relay requires a user token; the text says why.
    SignIn(&'static str),
    Failed(String),
}

#[component]
pub(crate) fn Start() -> impl IntoView {
    let router = expect_context::<Router>();
    let owner = PageOwner::current();
    let phase = RwSignal::new(Phase::Asking);
    // Once required, the field stays, so that a mistyped token can be corrected.
    let needs_token = RwSignal::new(saved::user_token().is_some());
    let is_slow = RwSignal::new(false);
    let neutral_first = RwSignal::new(saved::wants_neutral());
    let title = NodeRef::<Input>::new();
    let token = NodeRef::<Input>::new();
    // On a phone it would appear below the screen.
    Effect::new(move |_| {
        if let (Phase::SignIn(_), Some(field)) = (phase.get(), token.get()) {
            // Focus is refused only for what is not in the document.
            let _ = field.focus();
        }
    });
    let value = |field: NodeRef<Input>| field.get_untracked().map(|field| field.value().trim().to_owned());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if phase.get_untracked() == Phase::Creating {
            return;
        }
        let user_token = value(token).filter(|token| !token.is_empty()).or_else(saved::user_token);
        let new = CreateSession { title: value(title).unwrap_or_default(), purpose: String::new() };
        phase.set(Phase::Creating);
        is_slow.set(false);
        set_timeout(
            move || {
                is_slow.try_set(true);
            },
            SLOW,
        );
        owner.spawn(async move {
            match Relay::new(page_base(), user_token.clone()).create_session(&new).await {
                Ok(created) => {
                    if let Some(user_token) = &user_token {
                        saved::save_user_token(user_token);
                    }
                    let session = created.session.id;
                    saved::save_consent(session);
                    let neutral_first = neutral_first.get_untracked();
                    saved::save_neutral_first(session, neutral_first);
                    saved::save_wants_neutral(neutral_first);
                    saved::save(SavedRecording::of(&created));
                    router.replace(Route::Session(session));
                }
                Err(fault) if fault.code() == Some(Code::Unauthorized) => {
                    needs_token.set(true);
                    phase.set(Phase::SignIn(if user_token.is_some() {
                        "The relay does not accept this token. It may be mistyped or expired."
                    } else {
                        "This relay needs to know who is recording. Paste your user token."
                    }));
                }
                Err(fault) => phase.set(Phase::Failed(sentences(&fault))),
            }
        });
    };
    let keeps_waiting = move || is_slow.get() && phase.get() == Phase::Creating;
    let failed = move || match phase.get() {
        Phase::SignIn(why) => Some(why.to_owned()),
        Phase::Failed(why) => Some(format!("{why} The camera has not been opened.")),
        Phase::Asking | Phase::Creating => None,
    };
    view! {
        <main class="sheet">
            <section class="card" data-testid="consent">
                <Brand />
                <h1 tabindex="-1">"Before the camera opens"</h1>
                <ConsentSteps />
                <form on:submit=submit>
                    <label class="field">
                        <span>"Title "<small>"(optional)"</small></span>
                        <input type="text" node_ref=title maxlength=MAX_TITLE_CHARS.to_string() autocomplete="off"
                            placeholder="For example: interview 12" data-testid="title" />
                    </label>
                    <NeutralOffer chosen=neutral_first />
                    <p role="status" class="hint" hidden=move || !keeps_waiting()
                        prop:textContent="The relay behind this page has not answered yet. The page keeps waiting a little longer; the camera stays closed until the relay answers."></p>
                    {move || failed().map(|why| view! { <p class="notice warn" role="alert" data-testid="start-failed" prop:textContent=why></p> })}
                    <Show when=move || needs_token.get()>
                        <label class="field">
                            <span>"User token"</span>
                            <input type="password" node_ref=token autocomplete="off" spellcheck="false" data-testid="user-token" />
                            <small>"The relay’s operator makes one with “mien\u{2011}relay token”. It is kept in this tab only."</small>
                        </label>
                    </Show>
                    <div class="row">
                        <button class="primary" type="submit" data-testid="consent-allow"
                            disabled=move || phase.get() == Phase::Creating
                            prop:textContent=text(move || {
                                if phase.get() == Phase::Creating { "One moment" } else { "Allow the camera" }
                            })></button>
                        <Link to=Route::Home class="button quiet">"Not now"</Link>
                    </div>
                </form>
            </section>
        </main>
    }
}
