//! Which page is open: the address bar and the page agree.

use leptos::prelude::*;

use crate::browser::{self, Step};
use crate::model::route::Route;

/// Put into context at the top; a copy is a handle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Router {
    route: RwSignal<Route>,
    held: StoredValue<Option<Hold>>,
}

/// Says what leaving the page would lose; nothing where it loses nothing.
type Hold = Callback<(), Option<&'static str>>;

impl Router {
    /// Follows the address bar until the owner ends.
    pub(crate) fn follow() -> Self {
        let router = Self { route: RwSignal::new(current()), held: StoredValue::new(None) };
        let back = window_event_listener(leptos::ev::popstate, move |_| {
            if router.may_leave() {
                router.route.set(current());
            } else {
                // The browser has gone already.
                browser::show_address(&router.route.get_untracked().address(), Step::Push);
            }
        });
        let close = window_event_listener(leptos::ev::beforeunload, move |event| {
            if router.loss().is_some() {
                // The browser asks in its own words.
                event.prevent_default();
            }
        });
        on_cleanup(move || {
            back.remove();
            close.remove();
        });
        router
    }

    /// Asks the person before the page that is open is left, for as long as `loss` names something, and until the
    /// owner ends.
    pub(crate) fn hold(self, loss: impl Fn() -> Option<&'static str> + Send + Sync + 'static) {
        self.held.set_value(Some(Callback::new(move |()| loss())));
        on_cleanup(move || self.held.set_value(None));
    }

    fn loss(self) -> Option<&'static str> {
        self.held.get_value().and_then(|held| held.run(()))
    }

    fn may_leave(self) -> bool {
        // A browser that shows no question lets nobody answer it.
        self.loss().is_none_or(|loss| window().confirm_with_message(loss).unwrap_or(true))
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
