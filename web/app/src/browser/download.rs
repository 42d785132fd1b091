//! Files that the page offers to save.

use gloo_timers::callback::Timeout;
use leptos::prelude::document;
use wasm_bindgen::JsCast;

/// How long a file that is offered stays at its address.
const OFFER_MS: u32 = 60_000;

/// Offers bytes as a file to save. They come from this page; nothing is sent. False if the browser refuses.
pub(crate) fn download(name: &str, media_type: &str, bytes: &[u8]) -> bool {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(media_type);
    let Ok(blob) = web_sys::Blob::new_with_u8_array_sequence_and_options(&parts, &options) else {
        return false;
    };
    let Ok(url) = web_sys::Url::create_object_url_with_blob(&blob) else { return false };
    let anchor =
        document().create_element("a").ok().and_then(|a| a.dyn_into::<web_sys::HtmlAnchorElement>().ok());
    if let Some(anchor) = &anchor {
        anchor.set_href(&url);
        anchor.set_download(name);
        anchor.click();
    }
    // Some browsers read the blob only a while after the click. Revoking an address that is gone does nothing.
    Timeout::new(OFFER_MS, move || {
        let _ = web_sys::Url::revoke_object_url(&url);
    })
    .forget();
    anchor.is_some()
}
