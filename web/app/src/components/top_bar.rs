//! The thin bar on top: title, state of the link, and what has left the browser.

use leptos::prelude::*;

use super::icon::{Brand, Glyph, Icon};
use super::text::text;
use crate::model::format;
use crate::model::link::LinkText;

#[component]
pub(crate) fn TopBar(
    #[prop(into)] title: Signal<String>,
    #[prop(into)] link: Signal<LinkText>,
    /// `None` where nothing is ever sent.
    #[prop(into)]
    bytes_sent: Signal<Option<u64>>,
    #[prop(into)] pending: Signal<u64>,
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
                    <span data-testid="bytes-sent" data-bytes=move || bytes_sent.get().unwrap_or(0).to_string()
                        hidden=move || bytes_sent.get().is_none()>
                        " · "
                        <span translate="no" lang="en"
                            prop:textContent=text(move || format::bytes(bytes_sent.get().unwrap_or(0)))></span>
                        " sent"
                    </span>
                </span>
            </span>
        </header>
    }
}
