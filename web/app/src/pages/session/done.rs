//! The end of a recording: what is stored, where to get it, and the way to erase it.

use std::collections::BTreeMap;

use leptos::prelude::*;
use mien_engine::StorageMode;
use mien_shared::api::{ExportFormat, Summary};
use mien_shared::{SkipReason, SourceName};

use super::Outcome;
use super::recording::Recording;
use crate::browser;
use crate::components::{Brand, Link, TimeBy, waiting_words};
use crate::kept;
use crate::model::length::parts;
use crate::model::{format, route::Route, words};
use crate::router::Router;

#[component]
pub(super) fn Done(recording: Recording, outcome: Outcome) -> impl IntoView {
    let said = RwSignal::new(None::<String>);
    let open = outcome.summary.is_err();
    let title = if open { "The camera is off" } else { "Recorded and stored" };
    let started = browser::date_and_time(recording.kept().started_ms);
    let figures = match outcome.summary {
        Ok(summary) => view! { <Figures summary=summary skipped=recording.skipped() /> }.into_any(),
        Err(why) => view! {
            <div class="notice warn">
                <p role="alert">{why}</p>
                {move || waiting(recording).map(|words| view! { <p>{words}</p> })}
                <button class="primary" data-testid="finish-again" on:click=move |_| recording.stop()>"Try again"</button>
            </div>
        }
        .into_any(),
    };
    view! {
        <main class="sheet">
            <section class="card" data-testid="done" data-session=recording.session().to_string()>
                <Brand />
                <div>
                    <h1 tabindex="-1">{title}</h1>
                    <p class="hint">{format!("{} · {started}", recording.name())}</p>
                </div>
                {figures}
                <h2>"Take the numbers with you"</h2>
                <div class="row">
                    {[(ExportFormat::Csv, "CSV"), (ExportFormat::Json, "JSON"), (ExportFormat::Ndjson, "NDJSON")]
                        .into_iter()
                        .map(|(kind, label)| view! {
                            <button data-testid=format!("export-{}", label.to_lowercase())
                                on:click=move |_| export(recording, kind, said)>{label}</button>
                        })
                        .collect_view()}
                </div>
                <p role="status" class="hint" data-testid="done-said">{move || said.get()}</p>
                <div class="row">
                    <Link to=Route::Start class="button primary">"Start another session"</Link>
                    <Link to=Route::Home class="button">"To the first page"</Link>
                </div>
                <Erase recording=recording said=said />
            </section>
        </main>
    }
}

/// What still waits, and where: it goes on being sent meanwhile.
fn waiting(recording: Recording) -> Option<String> {
    let pending = recording.pending();
    let words = (pending > 0).then(|| waiting_words(pending))?;
    let in_memory = recording.status.with(|status| {
        status.as_ref().is_some_and(|status| matches!(status.mode, StorageMode::Memory { .. }))
    });
    Some(if in_memory { format!("{words} Only this page has them: keep it open.") } else { words })
}

/// The length is this device's, and made of what was analysed and what was not.
#[component]
fn Figures(summary: Summary, skipped: BTreeMap<SkipReason, i64>) -> impl IntoView {
    let own = summary.sources.iter().find(|source| source.source == SourceName::default());
    let span = own.and_then(|source| source.first_at.zip(source.last_at));
    let length = span.map_or(0, |(first, last)| last.saturating_sub(first));
    let gaps: usize = summary.sources.iter().map(|source| source.gaps.len()).sum();
    let parts = parts(length, &skipped).into_iter().map(|part| {
        let (name, label) = match part.skipped {
            Some(reason) => (reason.name(), words::skipped(reason)),
            None => ("analysed", "Analysed"),
        };
        view! { <div><dt>{label}</dt><dd data-part=name data-ms=part.ms.to_string()>{part.words}</dd></div> }
    });
    view! {
        <dl class="figures" data-testid="summary">
            <div><dt>"Samples"</dt><dd data-testid="stored" data-count=summary.stored.to_string()>{format::grouped(summary.stored)}</dd></div>
            <div><dt>"Length"</dt><dd data-testid="length" data-ms=length.to_string()>{format::duration(length)}</dd></div>
            <div><dt>"Gaps"</dt><dd>{gaps}</dd></div>
        </dl>
        {(!skipped.is_empty()).then(|| view! {
            <h2>"What the length is made of"</h2>
            <dl class="figures" data-testid="parts">{parts.collect_view()}</dl>
        })}
        <h2>"Time by expression"</h2>
        <TimeBy time=summary.time_by_expression_ms />
    }
}

fn export(recording: Recording, kind: ExportFormat, said: RwSignal<Option<String>>) {
    let (ending, media_type) = match kind {
        ExportFormat::Csv => ("csv", "text/csv"),
        ExportFormat::Json => ("json", "application/json"),
        ExportFormat::Ndjson => ("ndjson", "application/x-ndjson"),
    };
    said.set(Some("Fetching the numbers".to_owned()));
    recording.spawn(async move {
        let words = match recording.kept().relay().export(recording.session(), kind).await {
            Ok(bytes) => {
                let name = format!("mien-{}.{ending}", recording.session());
                if browser::download(&name, media_type, &bytes) {
                    format!("Saved {name}, {}.", format::bytes(bytes.len() as u64))
                } else {
                    "The browser did not allow the file to be saved.".to_owned()
                }
            }
            Err(fault) => format!("Not saved: {fault} What is stored stays stored."),
        };
        said.set(Some(words));
    });
}

/// Two clicks, since there is no way back.
#[component]
fn Erase(recording: Recording, said: RwSignal<Option<String>>) -> impl IntoView {
    let router = expect_context::<Router>();
    let armed = RwSignal::new(false);
    let erase = move |_| {
        recording.spawn(async move {
            match recording.kept().relay().erase_session(recording.session()).await {
                Ok(()) => {
                    recording.let_go();
                    mien_engine::discard(recording.session()).await;
                    kept::forget(recording.session());
                    router.go(Route::Home);
                }
                Err(fault) => said.set(Some(format!("Not erased: {fault}"))),
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
