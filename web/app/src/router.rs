//! Which page is open: the address bar and the page agree.

use leptos::prelude::*;

use crate::browser::{self, Step};
use crate::model::route::Route;

/// Put into context at the top; a copy is a handle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Router {
    route: RwSignal<Route>,
}

impl Router {
    /// Follows the address bar until the owner ends.
    pub(crate) fn follow() -> Self {
        let router = Self { route: RwSignal::new(current()) };
        let listener = window_event_listener(leptos::ev::popstate, move |_| router.route.set(current()));
        on_cleanup(move || listener.remove());
        router
    }

    pub(crate) fn route(&self) -> Signal<Route> {
        self.route.into()
    }

    pub(crate) fn go(&self, route: Route) {
        self.step(route, Step::Push);
    }

    /// Goes on without a way back to a step that is done.
    pub(crate) fn go_on(&self, route: Route) {
        self.step(route, Step::Replace);
    }

    fn step(self, route: Route, step: Step) {
        browser::show_address(&route.path(), step);
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
