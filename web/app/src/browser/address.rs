//! The address bar and the history.

use leptos::prelude::{document, window};
use wasm_bindgen::JsValue;

use crate::model::route;

/// What an address that is shown does to the history.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HistoryStep {
    Push,
    /// Leaves no trace of the former address.
    Replace,
}

/// The path of the address that is open, relative to the page's base.
pub(crate) fn pathname() -> String {
    let pathname = window().location().pathname().unwrap_or_default();
    let base = document().base_uri().ok().flatten().and_then(|base| web_sys::Url::new(&base).ok());
    base.map_or(pathname.clone(), |base| route::below(&base.pathname(), &pathname).to_owned())
}

/// The address's fragment without its `#`.
pub(crate) fn fragment() -> String {
    let hash = window().location().hash().unwrap_or_default();
    hash.trim_start_matches('#').to_owned()
}

/// Puts an address, which is relative to the page's base, into the bar.
pub(crate) fn show_address(path: &str, step: HistoryStep) {
    let Ok(history) = window().history() else { return };
    let state = JsValue::NULL;
    // Refused only when a page changes its address hundreds of times a minute.
    let _ = match step {
        HistoryStep::Push => history.push_state_with_url(&state, "", Some(path)),
        HistoryStep::Replace => history.replace_state_with_url(&state, "", Some(path)),
    };
}

pub(crate) fn reload() {
    // Reloading cannot fail from a window of its own.
    let _ = window().location().reload();
}
