//! The end of a recording: what is stored, where to get it, and the way to erase it.

use leptos::prelude::*;
use mien_engine::Trouble;
use mien_shared::api::ExportFormat;

use super::figures::Figures;
use super::unsent::UnsentActions;
use crate::components::{Brand, Confirm, Link, TimelinePlot, text};
use crate::fault::sentences;
use crate::model::timeline::Timeline;
use crate::model::{format, route::Route, trouble};
use crate::pages::session::recording::{NoSummary, Outcome, Recording, erase, export, finish, summary};

#[component]
pub(crate) fn Stopped(recording: Recording, outcome: Outcome) -> impl IntoView {
    let result = RwSignal::new(ActionResult::default());
    let timeline = recording.signals().timeline;
    let has_timeline = Memo::new(move |_| !timeline.with(Timeline::is_empty));
    let title = match &outcome {
        Ok(summary) if summary.stored == 0 => "Nothing was recorded",
        Ok(_) | Err(NoSummary::NotLoaded(_)) => "Recorded and stored",
        Err(_) => recording.stopped_text(),
    };
    let figures = match outcome {
        Ok(summary) => view! { <TooLate recording=recording /><Figures summary=summary /> }.into_any(),
        Err(why) => view! { <NotFinished recording=recording why=why /> }.into_any(),
    };
    view! {
        <main class="sheet">
            <section class="card" data-testid="done" data-session=recording.session().to_string()>
                <Brand />
                <div>
                    <h1 tabindex="-1" prop:textContent=title></h1>
                    <p class="hint" translate="no" lang="en"
                        prop:textContent=format!("{} · {}", recording.name(), recording.started())></p>
                </div>
                {figures}
                <Show when=move || has_timeline.get()>
                    <TimelinePlot timeline=timeline title="The last minutes" live=Signal::stored(false) />
                </Show>
                <h2>"Take the numbers with you"</h2>
                <div class="row">
                    {[(ExportFormat::Csv, "CSV"), (ExportFormat::Json, "JSON"), (ExportFormat::Ndjson, "NDJSON")]
                        .into_iter()
                        .map(|(format, label)| view! {
                            <button data-testid=format!("export-{}", label.to_lowercase())
                                on:click=move |_| export(recording, format, result) prop:textContent=label></button>
                        })
                        .collect_view()}
                </div>
                <p role="status" class="hint" data-testid="done-said">
                    <span prop:textContent=text(move || result.with(|result| result.text.clone()))></span>" "
                    <span translate="no" lang="en" prop:textContent=text(move || result.with(|result| result.file.clone()))></span>
                </p>
                <div class="row">
                    <Link to=Route::Start class="button primary">"Start another session"</Link>
                    <Link to=Route::Home class="button">"Back to the home page"</Link>
                </div>
                <div class="danger-zone row">
                    <Confirm testid="erase" confirm_testid="erase-confirm" label="Erase this session"
                        warning="This erases every sample of it, for good." confirm_label="Erase for good"
                        on_confirm=Callback::new(move |()| erase(recording, result)) />
                </div>
            </section>
        </main>
    }
}

/// What keeps the session from being finished, for as long as it does, and what to do about it.
#[component]
fn NotFinished(recording: Recording, why: NoSummary) -> impl IntoView {
    // What is left is still being sent meanwhile.
    let has_unsent = Memo::new(move |_| recording.pending() > 0);
    let (is_not_loaded, is_unsent) = (matches!(why, NoSummary::NotLoaded(_)), why == NoSummary::Unsent);
    let words = move || match &why {
        NoSummary::Unsent if has_unsent.get() => {
            "Not everything is stored yet, so the session stays open.".to_owned()
        }
        NoSummary::Unsent => "Everything is stored now, but the session is still open.".to_owned(),
        NoSummary::NotCompleted(why) => {
            format!("Everything is stored, but the session could not be closed. {why}")
        }
        NoSummary::NotLoaded(why) => {
            format!("The session is closed, but its figures could not be loaded. {why}")
        }
    };
    let label = move || if is_unsent && !has_unsent.get() { "End this session" } else { "Try again" };
    let again = move |_| {
        if is_not_loaded {
            recording.spawn(summary::show(recording));
        } else {
            finish::stop(recording);
        }
    };
    let trouble = Memo::new(move |_| recording.trouble());
    let unsent = move || match trouble.get() {
        Some(trouble) => trouble::sentences(trouble, recording.unsent()),
        None => recording.unsent_text().unwrap_or_default(),
    };
    view! {
        <div class="notice warn">
            <p role="alert" data-testid="not-done" prop:textContent=text(words)></p>
            <p hidden=move || !has_unsent.get() translate="no" lang="en" data-testid="not-done-waiting"
                prop:textContent=text(unsent)></p>
            <Show when=move || trouble.get() == Some(Trouble::UnknownSession)><UnsentActions recording=recording /></Show>
            <button class="primary" data-testid="finish-again" on:click=again prop:textContent=text(label)></button>
        </div>
    }
}

/// Samples that came after the session was completed elsewhere; nothing if there are none.
#[component]
fn TooLate(recording: Recording) -> impl IntoView {
    let has_unsent = Memo::new(move |_| recording.pending() > 0);
    let words = move || {
        let kept = recording.unsent().kept_text("Its");
        format!("The session was completed before everything from this device was stored. {kept}")
    };
    view! {
        <Show when=move || has_unsent.get()>
            <div class="notice warn" data-testid="too-late">
                <p role="status" translate="no" lang="en" prop:textContent=text(words)></p>
                <UnsentActions recording=recording />
            </div>
        </Show>
    }
}

/// The outcome of the person's last action.
#[derive(Clone, Debug, Default)]
struct ActionResult {
    text: String,
    /// The name of a file that was saved, and its size.
    file: String,
}

impl From<String> for ActionResult {
    fn from(text: String) -> Self {
        Self { text, file: String::new() }
    }
}

fn export(recording: Recording, format: ExportFormat, result: RwSignal<ActionResult>) {
    result.set("Fetching the numbers".to_owned().into());
    recording.spawn(async move {
        result.set(match export::save(recording, format).await {
            Ok(Some(file)) => ActionResult {
                text: "Saved".to_owned(),
                file: format!("{}, {}", file.name, format::bytes(file.bytes)),
            },
            Ok(None) => "The browser did not allow the file to be saved.".to_owned().into(),
            Err(fault) => format!("Not saved. {} What is stored stays stored.", sentences(&fault)).into(),
        });
    });
}

fn erase(recording: Recording, result: RwSignal<ActionResult>) {
    recording.spawn(async move {
        if let Err(fault) = erase::erase(recording).await {
            result.set(format!("Not erased. {}", sentences(&fault)).into());
        }
    });
}
