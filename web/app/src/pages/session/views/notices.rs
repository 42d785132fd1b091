//! What a recording has to say beside its view.

use leptos::prelude::*;
use mien_engine::{DatabaseFault, RecorderStatus, StorageMode, Trouble};

use super::unsent::UnsentActions;
use crate::components::text;
use crate::model::notice::Notice;
use crate::model::{format, trouble};
use crate::pages::session::recording::{Recording, notices};

#[component]
pub(crate) fn NoticeList(recording: Recording) -> impl IntoView {
    let status = recording.recorder_status();
    let memory_only = Memo::new(move |_| status.with(|status| status.as_ref().and_then(memory_text)));
    let dropped =
        Memo::new(move |_| status.with(|status| status.as_ref().map_or(0, |status| status.dropped)));
    let rejected =
        Memo::new(move |_| status.with(|status| status.as_ref().map_or(0, |status| status.rejected)));
    let shown =
        Memo::new(move |_| recording.notices().with(|notices| notices.shown().cloned().collect::<Vec<_>>()));
    let newest = move || shown.with(|shown| shown.last().map(Notice::text).unwrap_or_default());
    let line = move |notice: Notice| {
        let (name, words) = (notice.name(), notice.text());
        view! {
            <div class="notice" data-testid="notice" data-notice=name>
                <p prop:textContent=words></p>
                <button class="quiet" on:click=move |_| notices::close(recording, &notice)>
                    "Close"
                </button>
            </div>
        }
    };
    view! {
        // For screen readers, which often ignore a live region that is inserted together with its text.
        <p class="visually-hidden" role="status" prop:textContent=text(newest)></p>
        {move || memory_only.get().map(|words| view! {
            <div class="notice warn" role="status" data-testid="memory-only"><p prop:textContent=words></p></div>
        })}
        <LinkTrouble recording=recording />
        <LossCount count=dropped testid="dropped" words=|count| format!(
            "{} lost: this device had no room, or did not store them fast enough.",
            format::count(count, "sample is", "samples are")
        ) />
        <LossCount count=rejected testid="rejected" words=|count| {
            format!("The relay refused {}.", format::count(count, "sample", "samples"))
        } />
        <For each=move || shown.get() key=Notice::clone children=line />
    }
}

/// What keeps the link from the relay, for as long as it does.
#[component]
fn LinkTrouble(recording: Recording) -> impl IntoView {
    let trouble = Memo::new(move |_| recording.trouble());
    move || {
        trouble.get().map(|trouble| {
            // The bar says so to a screen reader.
            let name = trouble::text(trouble).name;
            let kept = move || trouble::kept_text(trouble, recording.unsent());
            view! {
                <div class="notice warn" data-testid="trouble" data-trouble=name>
                    <p>
                        <span prop:textContent=trouble::problem(trouble)></span>" "
                        <span translate="no" lang="en" prop:textContent=text(kept)></span>" "
                        <span prop:textContent=trouble::outlook(trouble)></span>
                    </p>
                    {(trouble == Trouble::UnknownSession).then(|| view! { <UnsentActions recording=recording /> })}
                </div>
            }
        })
    }
}

/// A loss that only grows. It can be closed until it grows again.
#[component]
fn LossCount(count: Memo<u64>, testid: &'static str, words: fn(u64) -> String) -> impl IntoView {
    let read = RwSignal::new(0_u64);
    view! {
        <Show when=move || { count.get() > read.get() }>
            <div class="notice warn" role="status" data-testid=testid data-count=move || count.get().to_string()>
                <p prop:textContent=text(move || words(count.get()))></p>
                <button class="quiet" on:click=move |_| read.set(count.get_untracked())>"Close"</button>
            </div>
        </Show>
    }
}

/// Says that samples wait in memory only, and why; nothing while they are on the disk.
fn memory_text(status: &RecorderStatus) -> Option<String> {
    let StorageMode::Memory { why } = status.mode else { return None };
    let why = match why {
        DatabaseFault::Unavailable => "This browser stores nothing on disk (private mode?)",
        DatabaseFault::Full => "The disk, or this site’s share of it, is full",
        DatabaseFault::Broken => "This browser’s storage failed",
    };
    Some(format!(
        "{why}, so samples wait in memory until they are stored. Keep this page open until none are waiting."
    ))
}
