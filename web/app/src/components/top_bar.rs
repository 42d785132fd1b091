//! The thin bar on top: what this is, how the link stands, what has left the browser, and the way to stop.

use leptos::prelude::*;
use mien_engine::LinkState;

use super::icon::{Brand, Glyph, Icon};
use crate::model::format;

/// A link's state in one word for the bar, with a stable name for styles and tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkWords {
    pub name: &'static str,
    pub text: &'static str,
    /// What waits meanwhile. It changes often, so a screen reader is not told each time.
    pub more: String,
}

impl LinkWords {
    /// `pending`: samples that wait for the relay.
    pub(crate) fn of(link: &LinkState, pending: u64) -> Self {
        let waiting = match pending {
            0 => String::new(),
            _ => format!(" · {} waiting, nothing was lost", format::count(pending, "sample", "samples")),
        };
        let (name, text, more) = match link {
            LinkState::Connecting => ("connecting", "Connecting", String::new()),
            LinkState::Live => ("live", "Live", String::new()),
            LinkState::Throttled { .. } => ("throttled", "Slowed down by the relay", waiting),
            LinkState::Offline { .. } => ("offline", "Offline", waiting),
            LinkState::Ended(_) => ("ended", "Ended", String::new()),
        };
        Self { name, text, more }
    }
}

#[component]
pub(crate) fn TopBar(
    #[prop(into)] title: Signal<String>,
    #[prop(into)] link: Signal<LinkWords>,
    /// Bytes sent so far; `None` where nothing is ever sent.
    #[prop(into)]
    sent: Signal<Option<u64>>,
    #[prop(into)] pending: Signal<u64>,
    #[prop(default = "Stop")] stop_label: &'static str,
    on_stop: Callback<()>,
) -> impl IntoView {
    view! {
        <header class="top">
            <Brand />
            <h1 tabindex="-1">{move || title.get()}</h1>
            <span class="link" data-testid="link-state" data-state=move || link.get().name>
                <span role="status">{move || link.get().text}</span>
                {move || link.get().more}
            </span>
            <span class="visually-hidden" data-testid="pending" data-count=move || pending.get().to_string()>
                {move || format::count(pending.get(), "sample waiting", "samples waiting")}
            </span>
            <span class="spacer"></span>
            <span class="private" title="The camera’s pictures are analysed on this device. Only numbers are sent.">
                <Icon glyph=Glyph::Lock />
                <span>
                    "Frames stay in this browser"
                    <span data-testid="bytes-sent" data-bytes=move || sent.get().unwrap_or(0).to_string()>
                        {move || sent.get().map(|sent| format!(" · {} sent", format::bytes(sent)))}
                    </span>
                </span>
            </span>
            <button class="stop" data-testid="stop" on:click=move |_| on_stop.run(())>
                <Icon glyph=Glyph::Stop />{stop_label}
            </button>
        </header>
    }
}
