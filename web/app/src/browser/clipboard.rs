//! The clipboard.

use leptos::prelude::window;
use wasm_bindgen_futures::JsFuture;

/// False if the browser does not let the page write to the clipboard.
pub(crate) async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    if clipboard.is_undefined() {
        return false;
    }
    JsFuture::from(clipboard.write_text(text)).await.is_ok()
}
