//! The end of a recording: what is stored, where to get it, and the way to erase it.

use leptos::prelude::*;
use mien_engine::Trouble;
use mien_shared::SourceName;
use mien_shared::api::{ExportFormat, SourceSummary, Summary};

use super::recording::Recording;
use super::{NoSummary, Outcome, Phase, Unsent};
use crate::browser;
use crate::components::{Brand, Link, TimeBy, obstacle, text};
use crate::fault::{self, Fault};
use crate::kept;
use crate::model::length::parts;
use crate::model::{format, route::Route, trouble, words};

#[component]
pub(super) fn Done(recording: Recording, outcome: Outcome) -> impl IntoView {
    let said = RwSignal::new(Said::default());
    let title = match &outcome {
        Ok(summary) if summary.stored == 0 => "Nothing was recorded",
        Ok(_) | Err(NoSummary::Unread(_)) => "Recorded and stored",
        Err(_) => recording.stopped(),
    };
    let started = browser::date_and_time(recording.kept().started_ms);
    let figures = match outcome {
        Ok(summary) => view! { <TooLate recording=recording /><Figures summary=summary /> }.into_any(),
        Err(why) => view! { <NotDone recording=recording why=why /> }.into_any(),
    };
    view! {
        <main class="sheet">
            <section class="card" data-testid="done" data-session=recording.session().to_string()>
                <Brand />
                <div>
                    <h1 tabindex="-1" prop:textContent=title></h1>
                    <p class="hint" translate="no" lang="en" prop:textContent=format!("{} · {started}", recording.name())></p>
                </div>
                {figures}
                <h2>"Take the numbers with you"</h2>
                <div class="row">
                    {[(ExportFormat::Csv, "CSV"), (ExportFormat::Json, "JSON"), (ExportFormat::Ndjson, "NDJSON")]
                        .into_iter()
                        .map(|(kind, label)| view! {
                            <button data-testid=format!("export-{}", label.to_lowercase())
                                on:click=move |_| export(recording, kind, said) prop:textContent=label></button>
                        })
                        .collect_view()}
                </div>
                <p role="status" class="hint" data-testid="done-said">
                    <span prop:textContent=text(move || said.with(|said| said.words.clone()))></span>" "
                    <span translate="no" lang="en" prop:textContent=text(move || said.with(|said| said.file.clone()))></span>
                </p>
                <div class="row">
                    <Link to=Route::Start class="button primary">"Start another session"</Link>
                    <Link to=Route::Home class="button">"To the first page"</Link>
                </div>
                <Erase recording=recording said=said />
            </section>
        </main>
    }
}

/// What keeps the session from being done, for as long as it does, and the way on.
#[component]
fn NotDone(recording: Recording, why: NoSummary) -> impl IntoView {
    // What waits goes on being sent meanwhile.
    let waits = Memo::new(move |_| recording.pending() > 0);
    let (is_unread, is_waiting) = (matches!(why, NoSummary::Unread(_)), why == NoSummary::Waiting);
    let words = move || match &why {
        NoSummary::Waiting if waits.get() => {
            "Not everything is stored yet, so the session stays open.".to_owned()
        }
        NoSummary::Waiting => "Everything is stored by now. The session is still open.".to_owned(),
        NoSummary::Open(why) => format!("Everything is stored, but the session could not be closed. {why}"),
        NoSummary::Unread(why) => {
            format!("The session is closed, but its figures could not be fetched. {why}")
        }
    };
    let label = move || if is_waiting && !waits.get() { "End this session" } else { "Try again" };
    let again = move |_| if is_unread { recording.spawn(recording.conclude()) } else { recording.stop() };
    let left = move || recording.waiting().unwrap_or_default();
    let trouble = Memo::new(move |_| recording.trouble());
    let matter = move || trouble.get().map(|trouble| obstacle(trouble).sentences(recording.unsent()));
    view! {
        <div class="notice warn">
            <p role="alert" data-testid="not-done" prop:textContent=text(words)></p>
            <p hidden=move || !waits.get() translate="no" lang="en" data-testid="not-done-waiting"
                prop:textContent=text(move || matter().unwrap_or_else(left))></p>
            <Show when=move || trouble.get() == Some(Trouble::UnknownSession)><Unsent recording=recording /></Show>
            <button class="primary" data-testid="finish-again" on:click=again prop:textContent=text(label)></button>
        </div>
    }
}

/// Samples that came after the session was completed elsewhere; nothing where there are none.
#[component]
fn TooLate(recording: Recording) -> impl IntoView {
    let late = Memo::new(move |_| recording.pending() > 0);
    let words = move || {
        let kept = trouble::kept(recording.unsent());
        format!("The session was completed before everything of this device was stored. {kept}")
    };
    view! {
        <Show when=move || late.get()>
            <div class="notice warn" data-testid="too-late">
                <p role="status" translate="no" lang="en" prop:textContent=text(words)></p>
                <Unsent recording=recording />
            </div>
        </Show>
    }
}

/// The length is this device's, and made of what was analysed and what was not.
#[component]
fn Figures(summary: Summary) -> impl IntoView {
    let own = summary.sources.iter().find(|source| source.source == SourceName::default());
    let span = own.and_then(|source| source.first_at.zip(source.last_at));
    let length = span.map_or(0, |(first, last)| last.saturating_sub(first));
    // A relay up to 0.1 lists them all, and does not say how many.
    let gaps = |source: &SourceSummary| source.gaps_total.max(source.gaps.len() as u64);
    let gaps: u64 = summary.sources.iter().map(gaps).sum();
    let skipped = own.map(|source| source.skipped_ms.clone()).unwrap_or_default();
    let parts = parts(length, &skipped).into_iter().map(|part| {
        let (name, label) = match part.skipped {
            Some(reason) => (reason.name(), words::skipped(reason)),
            None => ("analysed", "Analysed"),
        };
        view! { <div><dt prop:textContent=label></dt>
            <dd data-part=name data-ms=part.ms.to_string() translate="no" prop:textContent=part.words></dd></div> }
    });
    view! {
        <dl class="figures" data-testid="summary">
            <div><dt>"Samples"</dt><dd data-testid="stored" data-count=summary.stored.to_string()
                translate="no" prop:textContent=format::grouped(summary.stored)></dd></div>
            <div><dt>"Length"</dt><dd data-testid="length" data-ms=length.to_string()
                translate="no" prop:textContent=format::duration(length)></dd></div>
            <div><dt>"Gaps"</dt><dd translate="no" prop:textContent=gaps.to_string()></dd></div>
        </dl>
        {(!skipped.is_empty()).then(|| view! {
            <h2>"What the length is made of"</h2>
            <dl class="figures" data-testid="parts">{parts.collect_view()}</dl>
        })}
        <h2>"Time by expression"</h2>
        <TimeBy time=summary.time_by_expression_ms />
    }
}

/// What came of the last thing that was asked for.
#[derive(Clone, Debug, Default)]
struct Said {
    words: String,
    /// The name of a file that was saved, and its size.
    file: String,
}

impl From<String> for Said {
    fn from(words: String) -> Self {
        Self { words, file: String::new() }
    }
}

fn export(recording: Recording, kind: ExportFormat, said: RwSignal<Said>) {
    let (ending, media_type) = match kind {
        ExportFormat::Csv => ("csv", "text/csv"),
        ExportFormat::Json => ("json", "application/json"),
        ExportFormat::Ndjson => ("ndjson", "application/x-ndjson"),
    };
    said.set("Fetching the numbers".to_owned().into());
    recording.spawn(async move {
        let words = match recording.kept().relay().export(recording.session(), kind).await {
            Ok(bytes) => {
                let name = format!("mien-{}.{ending}", recording.session());
                if browser::download(&name, media_type, &bytes) {
                    let file = format!("{name}, {}", format::bytes(bytes.len() as u64));
                    Said { words: "Saved".to_owned(), file }
                } else {
                    "The browser did not allow the file to be saved.".to_owned().into()
                }
            }
            Err(fault) => format!("Not saved. {} What is stored stays stored.", fault::said(&fault)).into(),
        };
        said.set(words);
    });
}

/// Two clicks, since there is no way back.
#[component]
fn Erase(recording: Recording, said: RwSignal<Said>) -> impl IntoView {
    let armed = RwSignal::new(false);
    let erase = move |_| {
        recording.spawn(async move {
            match recording.kept().relay().erase_session(recording.session()).await {
                Ok(()) => {
                    recording.let_go();
                    mien_engine::discard(recording.session()).await;
                    kept::forget_erased(recording.session());
                    recording.phase.set(Phase::Fault(Fault::erased()));
                }
                Err(fault) => said.set(format!("Not erased. {}", fault::said(&fault)).into()),
            }
        });
    };
    view! {
        <div class="danger-zone row">
            <Show
                when=move || armed.get()
                fallback=move || view! {
                    <button data-testid="erase" on:click=move |_| armed.set(true)>"Erase this session"</button>
                }
            >
                <p>"Erases every sample of it, for good."</p>
                <button class="stop" data-testid="erase-confirm" on:click=erase>"Erase for good"</button>
                <button class="quiet" on:click=move |_| armed.set(false)>"Keep it"</button>
            </Show>
        </div>
    }
}
