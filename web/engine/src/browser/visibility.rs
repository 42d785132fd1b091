//! Whether anybody sees the page.

use gloo_events::EventListener;

use super::is_hidden;

/// Calls back when the page is hidden (`true`) or seen again, until it is dropped.
#[derive(Debug)]
pub(crate) struct VisibilityGuard {
    _listener: Option<EventListener>,
}

impl VisibilityGuard {
    pub(crate) fn new(on: impl Fn(bool) + 'static) -> Self {
        let document = web_sys::window().and_then(|window| window.document());
        let listener = document
            .map(|document| EventListener::new(&document, "visibilitychange", move |_| on(is_hidden())));
        Self { _listener: listener }
    }
}
