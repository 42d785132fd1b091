//! The step before a recording: a title, what will happen, and the person's yes.

use std::time::Duration;

use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use mien_engine::api::Relay;
use mien_engine::page_base;
use mien_shared::Code;
use mien_shared::api::CreateSession;
use mien_shared::limits::MAX_TITLE_CHARS;

use super::scope::Scope;
use crate::components::{Brand, ConsentSteps, Link, text};
use crate::fault::said;
use crate::kept::{self, Kept};
use crate::model::route::Route;
use crate::router::Router;

/// Longer than any relay that is well takes.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Asking,
    Creating,
    /// The relay wants to know who asks; the words say why.
    SignIn(&'static str),
    Failed(String),
}

#[component]
pub(crate) fn Start() -> impl IntoView {
    let router = expect_context::<Router>();
    let scope = Scope::here();
    let phase = RwSignal::new(Phase::Asking);
    // Once asked for, the field stays, so that a mistyped token can be mended.
    let signs_in = RwSignal::new(kept::user_token().is_some());
    let slow = RwSignal::new(false);
    let title = NodeRef::<Input>::new();
    let token = NodeRef::<Input>::new();
    // On a phone it would come to stand below the screen.
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
        let user_token = value(token).filter(|token| !token.is_empty()).or_else(kept::user_token);
        let new = CreateSession { title: value(title).unwrap_or_default(), purpose: String::new() };
        phase.set(Phase::Creating);
        slow.set(false);
        set_timeout(
            move || {
                slow.try_set(true);
            },
            PATIENCE,
        );
        scope.spawn(async move {
            match Relay::new(page_base(), user_token.clone()).create_session(&new).await {
                Ok(created) => {
                    if let Some(user_token) = &user_token {
                        kept::keep_user_token(user_token);
                    }
                    let kept = Kept::of(&created);
                    kept::consent(kept.session);
                    let session = kept.session;
                    kept::remember(kept);
                    router.go_on(Route::Session(session));
                }
                Err(fault) if fault.code() == Some(Code::Unauthorized) => {
                    signs_in.set(true);
                    phase.set(Phase::SignIn(if user_token.is_some() {
                        "The relay does not accept this token. It may be mistyped or expired."
                    } else {
                        "This relay needs to know who is recording. Paste your user token."
                    }));
                }
                Err(fault) => phase.set(Phase::Failed(said(&fault))),
            }
        });
    };
    let waits = move || slow.get() && phase.get() == Phase::Creating;
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
                    <p role="status" class="hint" hidden=move || !waits()
                        prop:textContent="The relay behind this page has not answered yet. It is waited for a little longer; the camera stays closed until it does."></p>
                    {move || failed().map(|why| view! { <p class="notice warn" role="alert" data-testid="start-failed" prop:textContent=why></p> })}
                    <Show when=move || signs_in.get()>
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
