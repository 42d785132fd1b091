//! What a tab is called, where that changes while its page is open.

use leptos::prelude::*;

/// Calls the tab so, and that it is Mien, until the owner ends.
pub(crate) fn follow(name: impl Fn() -> String + Send + Sync + 'static) {
    let name = Memo::new(move |_| name());
    Effect::new(move |_| document().set_title(&format!("{} · Mien", name.get())));
}
