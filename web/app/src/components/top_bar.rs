//! The thin bar on top: what this is, how the link stands, what has left the browser, and the way to stop.

use leptos::prelude::*;
use mien_engine::{LinkState, Trouble};

use super::icon::{Brand, Glyph, Icon};
use super::text::text;
use crate::model::format;
use crate::model::link::{Feed, Line, words};
use crate::model::trouble::Obstacle;

/// A link's state in a few words for the bar, with a stable name for styles and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkWords {
    pub name: &'static str,
    pub text: &'static str,
    /// Samples that wait meanwhile, where that is worth saying. It changes often, so a screen reader is not told
    /// each time.
    pub waiting: u64,
}

impl LinkWords {
    /// `pending`: samples that wait for the relay.
    pub(crate) fn of(link: &LinkState, trouble: Option<Trouble>, feed: Feed, pending: u64) -> Self {
        let line = match link {
            // Between two tries it is as it was.
            LinkState::Connecting | LinkState::Offline { .. } if trouble.is_some() => {
                trouble.map_or(Line::Offline, |trouble| Line::Kept(obstacle(trouble)))
            }
            LinkState::Connecting => Line::Connecting,
            LinkState::Live => Line::Live,
            LinkState::Throttled { .. } => Line::Throttled,
            LinkState::Offline { .. } => Line::Offline,
            LinkState::Ended(_) => Line::Ended,
        };
        let (name, text) = words(line, feed);
        // Of an obstacle a notice tells, and of what waits with it.
        let waiting = if matches!(line, Line::Throttled | Line::Offline) { pending } else { 0 };
        Self { name, text, waiting }
    }
}

pub(crate) const fn obstacle(trouble: Trouble) -> Obstacle {
    match trouble {
        Trouble::UnknownSession => Obstacle::UnknownSession,
        Trouble::SocketsBlocked => Obstacle::SocketsBlocked,
        Trouble::ProxyPassword => Obstacle::ProxyPassword,
        Trouble::ForeignOrigin => Obstacle::ForeignOrigin,
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
            <h1 tabindex="-1" translate="no" prop:textContent=text(move || title.get())></h1>
            <span class="link" data-testid="link-state" data-state=move || link.get().name>
                <span role="status" prop:textContent=text(move || link.get().text)></span>
                <span hidden=move || link.get().waiting == 0>
                    "· "
                    <span translate="no" prop:textContent=text(move || format::grouped(link.get().waiting))></span>
                    " "
                    <span prop:textContent=text(move || if link.get().waiting == 1 { "sample" } else { "samples" })></span>
                    " waiting, nothing was lost"
                </span>
            </span>
            <span class="visually-hidden" translate="no" lang="en" data-testid="pending"
                data-count=move || pending.get().to_string()
                prop:textContent=text(move || format::count(pending.get(), "sample waiting", "samples waiting"))></span>
            <span class="spacer"></span>
            <span class="private" title="The camera’s pictures are analysed on this device. Only numbers are sent.">
                <Icon glyph=Glyph::Lock />
                <span>
                    "Frames stay in this browser"
                    <span data-testid="bytes-sent" data-bytes=move || sent.get().unwrap_or(0).to_string()
                        hidden=move || sent.get().is_none()>
                        " · "
                        <span translate="no" lang="en"
                            prop:textContent=text(move || format::bytes(sent.get().unwrap_or(0)))></span>
                        " sent"
                    </span>
                </span>
            </span>
            <button class="stop" data-testid="stop" on:click=move |_| on_stop.run(())>
                <Icon glyph=Glyph::Stop />{stop_label}
            </button>
        </header>
    }
}
