//! What happens to the page: it is hidden, it is left, and the network comes back. Each listener is a guard that
//! unsubscribes when dropped.

use gloo_events::EventListener;

/// Whether the page is out of sight.
pub(crate) fn is_hidden() -> bool {
    web_sys::window().and_then(|window| window.document()).is_some_and(|page| page.hidden())
}

/// Calls back when the page is hidden (`true`) or visible again, until it is dropped.
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

/// Calls back when the network is back.
#[derive(Debug)]
pub(crate) struct OnlineGuard {
    _listener: Option<EventListener>,
}

impl OnlineGuard {
    pub(crate) fn new(on: impl Fn() + 'static) -> Self {
        let listener = web_sys::window().map(|window| EventListener::new(&window, "online", move |_| on()));
        Self { _listener: listener }
    }
}

/// Calls back when the page may be about to end: it is being left, or it is hidden, where a phone may end it without
/// another event.
#[derive(Debug)]
pub(crate) struct LeaveGuard {
    _listeners: Option<[EventListener; 2]>,
}

impl LeaveGuard {
    pub(crate) fn new(on: impl Fn() + Clone + 'static) -> Self {
        let listeners = web_sys::window().and_then(|window| {
            let document = window.document()?;
            let (page, hide) = (document.clone(), on.clone());
            Some([
                EventListener::new(&window, "pagehide", move |_| on()),
                EventListener::new(&document, "visibilitychange", move |_| {
                    if page.hidden() {
                        hide();
                    }
                }),
            ])
        });
        Self { _listeners: listeners }
    }
}
