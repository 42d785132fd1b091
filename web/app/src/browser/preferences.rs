//! What the visitor has asked of every page.

use leptos::prelude::window;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::MediaQueryList;

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

/// Calls back whenever the visitor's system asks for other colours, for as long as it is held.
#[derive(Debug)]
pub(crate) struct SchemeGuard {
    lists: Vec<MediaQueryList>,
    callback: Closure<dyn FnMut()>,
}

impl Drop for SchemeGuard {
    fn drop(&mut self) {
        for list in &self.lists {
            // Throws only for what is not a function.
            let _ =
                list.remove_event_listener_with_callback("change", self.callback.as_ref().unchecked_ref());
        }
    }
}

impl SchemeGuard {
    /// `None` if the browser knows none of it.
    pub(crate) fn new(on: impl FnMut() + 'static) -> Option<Self> {
        let callback = Closure::<dyn FnMut()>::new(on);
        let queries = ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"];
        let lists: Vec<MediaQueryList> =
            queries.into_iter().filter_map(|query| window().match_media(query).ok().flatten()).collect();
        for list in &lists {
            let _ = list.add_event_listener_with_callback("change", callback.as_ref().unchecked_ref());
        }
        (!lists.is_empty()).then_some(Self { lists, callback })
    }
}
