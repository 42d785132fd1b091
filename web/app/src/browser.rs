//! The handful of things the page asks of the document: addresses, storage, clipboard, downloads, preferences.
//!
//! Each answers plainly where the browser refuses (private mode, no permission), so that no caller has to know
//! why.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use leptos::prelude::{document, window};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::model::route;

/// How long a file that is offered stays at its address.
const DOWNLOAD_MS: u32 = 60_000;

thread_local! {
    /// What the browser would not keep (storage is blocked, or full), for as long as the page is open. It stands in
    /// for the browser's storage, which is one for the whole page too.
    static UNKEPT: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// Where something is remembered; at worst until the page is closed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Memory {
    /// This tab, also over a reload.
    Tab,
    /// This device, until it is forgotten.
    Device,
}

impl Memory {
    fn storage(self) -> Option<web_sys::Storage> {
        match self {
            Self::Tab => window().session_storage(),
            Self::Device => window().local_storage(),
        }
        .ok()
        .flatten()
    }

    pub(crate) fn read<T: DeserializeOwned>(self, key: &str) -> Option<T> {
        let unkept = UNKEPT.with_borrow(|unkept| unkept.get(key).cloned());
        let text = unkept.or_else(|| self.storage()?.get_item(key).ok().flatten())?;
        serde_json::from_str(&text).ok()
    }

    /// False where the browser keeps nothing, so that it lasts no longer than the page.
    pub(crate) fn write<T: Serialize>(self, key: &str, value: &T) -> bool {
        let Ok(text) = serde_json::to_string(value) else { return false };
        let kept = self.storage().is_some_and(|storage| storage.set_item(key, &text).is_ok());
        UNKEPT.with_borrow_mut(|unkept| {
            if kept {
                unkept.remove(key);
            } else {
                unkept.insert(key.to_owned(), text);
            }
        });
        kept
    }

    pub(crate) fn forget(self, key: &str) {
        UNKEPT.with_borrow_mut(|unkept| unkept.remove(key));
        if let Some(storage) = self.storage() {
            // Removing fails only where nothing can be kept either.
            let _ = storage.remove_item(key);
        }
    }
}

/// The path of the address that is open, from the page's base on.
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

/// Puts an address, which counts from the page's base, into the bar; `Replace` leaves no trace of the former one in the history.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Push,
    Replace,
}

pub(crate) fn show_address(path: &str, step: Step) {
    let Ok(history) = window().history() else { return };
    let state = JsValue::NULL;
    // Refused only when a page changes its address hundreds of times a minute.
    let _ = match step {
        Step::Push => history.push_state_with_url(&state, "", Some(path)),
        Step::Replace => history.replace_state_with_url(&state, "", Some(path)),
    };
}

pub(crate) fn reload() {
    // Reloading cannot fail from a window of its own.
    let _ = window().location().reload();
}

fn media(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

pub(crate) fn reduced_motion() -> bool {
    media("(prefers-reduced-motion: reduce)")
}

/// Whether this visitor asked for little traffic.
pub(crate) fn reduced_data() -> bool {
    let navigator = window().navigator();
    let saving = js_sys::Reflect::get(&navigator, &"connection".into())
        .and_then(|connection| js_sys::Reflect::get(&connection, &"saveData".into()));
    media("(prefers-reduced-data: reduce)") || saving.is_ok_and(|saving| saving.is_truthy())
}

/// False where the browser does not let the page write to the clipboard.
pub(crate) async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    if clipboard.is_undefined() {
        return false;
    }
    JsFuture::from(clipboard.write_text(text)).await.is_ok()
}

/// Keeps the screen on until it is dropped, where the browser can and allows it.
#[derive(Debug)]
pub(crate) struct Awake {
    lock: Rc<RefCell<Lock>>,
}

#[derive(Debug)]
enum Lock {
    /// The browser has not answered yet, or said no.
    None,
    Held(JsValue),
    /// Nobody wants it any more.
    Unwanted,
}

impl Awake {
    /// By name: the binding for it is not stable yet.
    pub(crate) fn ask() -> Self {
        let lock = Rc::new(RefCell::new(Lock::None));
        let wake_lock = js_sys::Reflect::get(&window().navigator(), &"wakeLock".into()).unwrap_or_default();
        let asked = call(&wake_lock, "request", &["screen".into()]);
        if let Some(asked) = asked.and_then(|promise| promise.dyn_into::<js_sys::Promise>().ok()) {
            let answered = lock.clone();
            spawn_local(async move {
                // A refusal, as on a low battery, is nobody's error. Somebody must look at it, or it is the page's.
                let Ok(held) = JsFuture::from(asked).await else { return };
                let before = answered.replace(Lock::Held(held));
                if let Lock::Unwanted = before {
                    release(&answered);
                }
            });
        }
        Self { lock }
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        release(&self.lock);
    }
}

fn release(lock: &RefCell<Lock>) {
    if let Lock::Held(held) = lock.replace(Lock::Unwanted)
        && let Some(released) =
            call(&held, "release", &[]).and_then(|promise| promise.dyn_into::<js_sys::Promise>().ok())
    {
        spawn_local(async move {
            // The browser may have let it go by itself.
            let _ = JsFuture::from(released).await;
        });
    }
}

/// `None` where there is no such method, or it throws.
fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let method = js_sys::Reflect::get(object, &method.into()).ok()?.dyn_into::<js_sys::Function>().ok()?;
    method.apply(object, &arguments.iter().collect::<js_sys::Array>()).ok()
}

/// Offers bytes as a file to save. They come from this page; nothing is sent.
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
    Timeout::new(DOWNLOAD_MS, move || {
        let _ = web_sys::Url::revoke_object_url(&url);
    })
    .forget();
    anchor.is_some()
}

/// `14:03:07` by this device's clock and habits.
pub(crate) fn time_of_day(at_ms: u64) -> String {
    let date = js_sys::Date::new(&(at_ms as f64).into());
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}

/// `23 Nov 2026, 14:03`, in the language of the page.
pub(crate) fn date_and_time(at_ms: u64) -> String {
    let date = js_sys::Date::new(&(at_ms as f64).into());
    let options = js_sys::Object::new();
    for (key, value) in [("dateStyle", "medium"), ("timeStyle", "short")] {
        // Setting a key of a fresh object cannot fail.
        let _ = js_sys::Reflect::set(&options, &key.into(), &value.into());
    }
    String::from(date.to_locale_string("en-GB", &options))
}

/// Milliseconds of a clock that only goes forward, for motion.
pub(crate) fn steady_ms() -> f64 {
    mien_engine::steady_now().since_beginning().as_secs_f64() * 1_000.0
}
