//! Where the keyboard goes on when what had it is gone.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// What has the keyboard, if anything in particular.
pub(crate) fn current() -> Option<HtmlElement> {
    document().active_element()?.dyn_into().ok().filter(|element: &HtmlElement| element.tag_name() != "BODY")
}

/// Gives it back to this element, unless something else has it once the page has settled.
pub(crate) fn back_to(element: Option<HtmlElement>) {
    request_animation_frame(move || {
        if current().is_none()
            && let Some(element) = element
        {
            // Refused only where it is gone as well.
            let _ = element.focus();
        }
    });
}

/// A reader starts at the heading of a new page.
pub(crate) fn to_heading() {
    let heading = document().query_selector("h1").ok().flatten();
    if let Some(heading) = heading.and_then(|heading| heading.dyn_into::<HtmlElement>().ok()) {
        // A heading without a tabindex takes no focus, and nothing is wrong then.
        let _ = heading.focus();
    }
}

/// As [`to_heading`] whenever `view` names another view than before, if the former took the keyboard with it.
pub(crate) fn follow<T: PartialEq + 'static>(view: impl Fn() -> T + 'static) {
    Effect::new(move |before: Option<T>| {
        let now = view();
        if before.is_some_and(|before| before != now) {
            request_animation_frame(|| {
                if current().is_none() {
                    to_heading();
                }
            });
        }
        now
    });
}
