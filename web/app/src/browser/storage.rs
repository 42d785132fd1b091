//! The browser's storage.

use std::cell::RefCell;
use std::collections::BTreeMap;

use leptos::prelude::window;
use serde::Serialize;
use serde::de::DeserializeOwned;

thread_local! {
    /// What the browser would not store (storage is blocked, or full), for as long as the page is open. It stands in
    /// for the browser's storage, which is also one for the whole page.
    static FALLBACK: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// Where something is stored; at worst until the page is closed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WebStorage {
    /// `sessionStorage`: for this tab, and kept over a reload.
    Tab,
    /// `localStorage`: for this device, until it is removed.
    Device,
}

impl WebStorage {
    fn storage(self) -> Option<web_sys::Storage> {
        match self {
            Self::Tab => window().session_storage(),
            Self::Device => window().local_storage(),
        }
        .ok()
        .flatten()
    }

    pub(crate) fn read<T: DeserializeOwned>(self, key: &str) -> Option<T> {
        let text = FALLBACK.with_borrow(|fallback| fallback.get(key).cloned());
        let text = text.or_else(|| self.storage()?.get_item(key).ok().flatten())?;
        serde_json::from_str(&text).ok()
    }

    /// False if the browser does not store it, so that it lasts no longer than the page.
    pub(crate) fn write<T: Serialize>(self, key: &str, value: &T) -> bool {
        let Ok(text) = serde_json::to_string(value) else { return false };
        let stored = self.storage().is_some_and(|storage| storage.set_item(key, &text).is_ok());
        FALLBACK.with_borrow_mut(|fallback| {
            if stored {
                fallback.remove(key);
            } else {
                fallback.insert(key.to_owned(), text);
            }
        });
        stored
    }

    pub(crate) fn remove(self, key: &str) {
        FALLBACK.with_borrow_mut(|fallback| fallback.remove(key));
        if let Some(storage) = self.storage() {
            // Removing fails only where nothing can be stored either.
            let _ = storage.remove_item(key);
        }
    }
}
