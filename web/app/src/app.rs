//! Composes the page: context at the top, one page per address. Decides nothing.

use leptos::prelude::*;

use crate::analysis::Analysis;
use crate::browser::focus;
use crate::model::route::Route;
use crate::pages::{Demo, Home, Missing, PickedFileSlot, SessionPage, Start, WatchPage};
use crate::router::Router;

/// Puts the page into the document's body.
pub fn mount() {
    console_error_panic_hook::set_once();
    // What index.html shows while this code is loading.
    if let Some(waiting) = document().get_element_by_id("boot") {
        waiting.remove();
    }
    leptos::mount::mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    let router = Router::follow();
    provide_context(router);
    provide_context(Analysis::new());
    provide_context(PickedFileSlot::new());
    let route = router.route();
    Effect::new(move |before: Option<Route>| {
        let now = route.get();
        if let Some(title) = title(now) {
            document().set_title(title);
        }
        // After a change of page a screen reader starts at its heading; the first load is left to the browser.
        if before.is_some_and(|before| before != now) {
            request_animation_frame(focus::to_heading);
        }
        now
    });
    move || match route.get() {
        Route::Home => view! { <Home /> }.into_any(),
        Route::Demo => view! { <Demo /> }.into_any(),
        Route::Start => view! { <Start /> }.into_any(),
        Route::Session(session) => view! { <SessionPage session=session /> }.into_any(),
        Route::Watch(session) => view! { <WatchPage session=session /> }.into_any(),
        Route::Missing => view! { <Missing /> }.into_any(),
    }
}

/// `None` if the page sets its own title.
const fn title(route: Route) -> Option<&'static str> {
    match route {
        Route::Home => Some("Mien: facial expressions, read in your browser"),
        Route::Start => Some("Before the camera opens · Mien"),
        Route::Watch(_) => Some("Live session · Mien"),
        Route::Missing => Some("Nothing here · Mien"),
        Route::Demo | Route::Session(_) => None,
    }
}
