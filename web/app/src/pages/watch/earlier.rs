//! The part of a session before what the page began with, on request: it is read through the HTTP interface and put in
//! front of what is on the timeline.

use leptos::prelude::*;
use mien_engine::api::{ApiFault, Range, Relay};
use mien_shared::{Sample, SessionId, SourceName};

use super::state::State;
use crate::browser::time_of_day;
use crate::components::text;
use crate::model::timeline::{Timeline, Viewport};
use crate::pages::samples;
use crate::source_signals::SourceSignals;

/// Loaded at once: the last turns of a conversation, within a few seconds even on a slow line.
const STRETCH_MS: u64 = 5 * 60_000;
/// Five minutes at 60 samples a second. Of a source that sent more, a shorter stretch is loaded.
const MAX_PAGES: usize = 18;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loading {
    Idle,
    Running,
    Failed,
}

/// Says where the timeline begins, and loads more.
#[component]
pub(super) fn Earlier(
    name: SourceName,
    signals: SourceSignals,
    state: State,
    viewport: RwSignal<Viewport>,
) -> impl IntoView {
    let loading = RwSignal::new(Loading::Idle);
    // The relay has nothing before this time.
    let complete_from = RwSignal::new(None::<u64>);
    let earlier = Memo::new(move |_| {
        signals.timeline.with(Timeline::earlier_than).filter(|before| complete_from.get() != Some(*before))
    });
    let load = move |_| {
        let Some(before) = earlier.get_untracked() else { return };
        if loading.get_untracked() == Loading::Running {
            return;
        }
        loading.set(Loading::Running);
        let (relay, session, name) = (state.relay(), state.session(), name.clone());
        state.owner().spawn(async move {
            match stretch_before(&relay, session, &name, before).await {
                Ok(samples) => {
                    match samples.first() {
                        Some(first) => {
                            signals.prepend(&samples);
                            let newest = signals.timeline.with_untracked(Timeline::newest_ms);
                            viewport.set(Viewport::showing(first.at, before, newest));
                            if signals.timeline.with_untracked(Timeline::earlier_than) == Some(before) {
                                // It is further back than a timeline reaches.
                                complete_from.set(Some(before));
                            }
                        }
                        None => complete_from.set(Some(before)),
                    }
                    loading.set(Loading::Idle);
                }
                Err(_) => loading.set(Loading::Failed),
            }
        });
    };
    let words = text(move || match loading.get() {
        Loading::Running => "Loading earlier samples".to_owned(),
        Loading::Failed => "Earlier samples could not be loaded; try again.".to_owned(),
        Loading::Idle => match earlier.get() {
            Some(before) => format!("Shown from {} onwards", time_of_day(before)),
            None => String::new(),
        },
    });
    view! {
        <div class="earlier" data-testid="watch-earlier" data-from=move || earlier.get().map(|at| at.to_string())>
            <Show when=move || earlier.get().is_some()>
                <p class="hint" role="status" prop:textContent=words></p>
                <button class="quiet" data-testid="show-earlier" on:click=load.clone()
                    disabled=move || loading.get() == Loading::Running>"Show earlier"</button>
            </Show>
        </div>
    }
}

/// The samples of the last five minutes before this time in which the source sent anything, in order of seq; none if it
/// sent nothing before.
async fn stretch_before(
    relay: &Relay,
    session: SessionId,
    source: &SourceName,
    before: u64,
) -> Result<Vec<Sample>, ApiFault> {
    let read = Read { relay, session, source };
    let mut to = before;
    let mut from = to.saturating_sub(STRETCH_MS);
    if read.first(from, to).await?.is_none() {
        // The source paused. When it last sent is found by halving the time since it began.
        let Some(begin) = read.first(0, from).await? else { return Ok(Vec::new()) };
        (from, to) = (begin, from);
        while to - from > STRETCH_MS {
            let middle = from + (to - from) / 2;
            if read.first(middle, to).await?.is_some() {
                from = middle;
            } else {
                to = middle;
            }
        }
    }
    loop {
        if let Some(samples) = read.all(from, to).await? {
            return Ok(samples);
        }
        from = to - (to - from) / 4;
    }
}

struct Read<'a> {
    relay: &'a Relay,
    session: SessionId,
    source: &'a SourceName,
}

impl Read<'_> {
    fn range(&self, from: u64, to: u64) -> Range {
        Range { source: Some(self.source.clone()), from: Some(from), to: Some(to) }
    }

    /// The time of the first sample within.
    async fn first(&self, from: u64, to: u64) -> Result<Option<u64>, ApiFault> {
        let page = self.relay.samples(self.session, &self.range(from, to), 1, None).await?;
        Ok(page.samples.first().map(|stored| stored.sample.at))
    }

    /// All samples within; `None` if there are too many.
    async fn all(&self, from: u64, to: u64) -> Result<Option<Vec<Sample>>, ApiFault> {
        let (mut all, range) = (Vec::new(), self.range(from, to));
        let pages =
            samples::for_each_page(self.relay, self.session, &range, MAX_PAGES, |page| all.extend(page));
        Ok(pages.await?.then_some(all))
    }
}
