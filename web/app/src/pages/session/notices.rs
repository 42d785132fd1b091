//! What a recording has to say beside its view, and how it comes and goes.

use leptos::prelude::*;
use mien_engine::{DatabaseFault, RecorderStatus, StorageMode, Trouble};

use super::Unsent;
use super::recording::Recording;
use crate::components::{obstacle, text};
use crate::model::format;
use crate::model::notice::{Change, Notice};

impl Recording {
    pub(super) fn tell(self, notice: Notice) {
        self.notices.try_update(|notices| notices.tell(notice));
    }

    /// Frames come many times a second and seldom change anything.
    pub(super) fn changed(self, change: Change<'_>) {
        let left = self.notices.try_with_untracked(|notices| {
            let mut left = notices.clone();
            left.change(change).then_some(left)
        });
        if let Some(Some(left)) = left {
            self.notices.set(left);
        }
    }
}

#[component]
pub(super) fn NoticeList(recording: Recording) -> impl IntoView {
    let status = recording.status;
    let memory_only = Memo::new(move |_| status.with(|status| status.as_ref().and_then(memory_words)));
    let dropped =
        Memo::new(move |_| status.with(|status| status.as_ref().map_or(0, |status| status.dropped)));
    let rejected =
        Memo::new(move |_| status.with(|status| status.as_ref().map_or(0, |status| status.rejected)));
    let shown =
        Memo::new(move |_| recording.notices.with(|notices| notices.shown().cloned().collect::<Vec<_>>()));
    let newest = move || shown.with(|shown| shown.last().map(Notice::text).unwrap_or_default());
    let line = move |notice: Notice| {
        let (name, words) = (notice.name(), notice.text());
        view! {
            <div class="notice" data-testid="notice" data-notice=name>
                <p prop:textContent=words></p>
                <button class="quiet" on:click=move |_| recording.notices.update(|notices| notices.close(&notice))>
                    "Close"
                </button>
            </div>
        }
    };
    view! {
        // Heard from here: a region that comes with its words is often not read.
        <p class="visually-hidden" role="status" prop:textContent=text(newest)></p>
        {move || memory_only.get().map(|words| view! {
            <div class="notice warn" role="status" data-testid="memory-only"><p prop:textContent=words></p></div>
        })}
        <InTrouble recording=recording />
        <Counted count=dropped testid="dropped" words=|count| format!(
            "{} lost: this device had no room, or did not store them fast enough.",
            format::count(count, "sample is", "samples are")
        ) />
        <Counted count=rejected testid="rejected" words=|count| {
            format!("The relay refused {}.", format::count(count, "sample", "samples"))
        } />
        <For each=move || shown.get() key=Notice::clone children=line />
    }
}

/// What keeps the link from the relay, for as long as it does.
#[component]
fn InTrouble(recording: Recording) -> impl IntoView {
    let trouble = Memo::new(move |_| recording.trouble());
    move || {
        trouble.get().map(|trouble| {
            let obstacle = obstacle(trouble);
            // The bar says so to a screen reader.
            let (name, ..) = obstacle.words();
            let kept = move || obstacle.kept(recording.unsent());
            view! {
                <div class="notice warn" data-testid="trouble" data-trouble=name>
                    <p>
                        <span prop:textContent=obstacle.matter()></span>" "
                        <span translate="no" lang="en" prop:textContent=text(kept)></span>" "
                        <span prop:textContent=obstacle.goes_on()></span>
                    </p>
                    {(trouble == Trouble::UnknownSession).then(|| view! { <Unsent recording=recording /> })}
                </div>
            }
        })
    }
}

/// A loss that only grows. Once read it can be closed, until it has grown.
#[component]
fn Counted(count: Memo<u64>, testid: &'static str, words: fn(u64) -> String) -> impl IntoView {
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
fn memory_words(status: &RecorderStatus) -> Option<String> {
    let StorageMode::Memory { why } = status.mode else { return None };
    let why = match why {
        DatabaseFault::Unavailable => "This browser keeps nothing on the disk (private mode?)",
        DatabaseFault::Full => "The disk, or this site’s share of it, is full",
        DatabaseFault::Broken => "This browser’s storage failed",
    };
    Some(format!(
        "{why}, so samples wait in memory until they are stored. Keep this page open until nothing waits."
    ))
}
