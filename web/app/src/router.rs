//! Which page is open: the address bar and the page agree.

use leptos::prelude::*;

use crate::browser::{self, HistoryStep};
use crate::model::route::Route;

/// Put into context at the top; a copy is a handle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Router {
    route: RwSignal<Route>,
    warning: StoredValue<Option<Warning>>,
}

/// Says what leaving the page would lose; `None` if it loses nothing.
type Warning = Callback<(), Option<&'static str>>;

impl Router {
    /// Follows the address bar until the owner ends.
    pub(crate) fn follow() -> Self {
        let router = Self { route: RwSignal::new(current()), warning: StoredValue::new(None) };
        let back = window_event_listener(leptos::ev::popstate, move |_| {
            if router.may_leave() {
                router.route.set(current());
            } else {
                // The browser shows the other address already.
                browser::show_address(&router.route.get_untracked().address(), HistoryStep::Push);
            }
        });
        let close = window_event_listener(leptos::ev::beforeunload, move |event| {
            if router.warning().is_some() {
                // The browser asks with its own text.
                event.prevent_default();
            }
        });
        on_cleanup(move || {
            back.remove();
            close.remove();
        });
        router
    }

    /// Asks the person before the page is left, for as long as `warning` says something, and until the owner ends.
    pub(crate) fn confirm_leaving(self, warning: impl Fn() -> Option<&'static str> + Send + Sync + 'static) {
        self.warning.set_value(Some(Callback::new(move |()| warning())));
        on_cleanup(move || self.warning.set_value(None));
    }

    fn warning(self) -> Option<&'static str> {
        self.warning.get_value().and_then(|warning| warning.run(()))
    }

    fn may_leave(self) -> bool {
        // If a browser does not show the question, it cannot be answered.
        self.warning().is_none_or(|warning| window().confirm_with_message(warning).unwrap_or(true))
    }

    pub(crate) fn route(&self) -> Signal<Route> {
        self.route.into()
    }

    pub(crate) fn go(&self, route: Route) {
        self.step(route, HistoryStep::Push);
    }

    /// Goes to a page without a way back to this one.
    pub(crate) fn replace(&self, route: Route) {
        self.step(route, HistoryStep::Replace);
    }

    fn step(self, route: Route, step: HistoryStep) {
        if !self.may_leave() {
            return;
        }
        browser::show_address(&route.address(), step);
        window().scroll_to_with_x_and_y(0.0, 0.0);
        self.route.set(route);
    }
}

fn current() -> Route {
    match Route::of(&browser::pathname()) {
        Route::Home if browser::fragment() == Route::START_FRAGMENT => Route::Start,
        route => route,
    }
}
