//! The title of the tab, where it changes while its page is open.

use leptos::prelude::*;

/// Titles the tab with this name and that of Mien, until the owner ends.
pub(crate) fn follow(name: impl Fn() -> String + Send + Sync + 'static) {
    let name = Memo::new(move |_| name());
    Effect::new(move |_| document().set_title(&format!("{} · Mien", name.get())));
}
