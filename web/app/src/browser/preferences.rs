//! What the visitor has asked of every page.

use leptos::prelude::window;

fn media(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

pub(crate) fn prefers_reduced_motion() -> bool {
    media("(prefers-reduced-motion: reduce)")
}

/// Whether this visitor prefers to save data.
pub(crate) fn prefers_reduced_data() -> bool {
    let navigator = window().navigator();
    let saving = js_sys::Reflect::get(&navigator, &"connection".into())
        .and_then(|connection| js_sys::Reflect::get(&connection, &"saveData".into()));
    media("(prefers-reduced-data: reduce)") || saving.is_ok_and(|saving| saving.is_truthy())
}
