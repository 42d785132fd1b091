//! Where the keyboard focus goes when the element that had it is gone.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// The element that has the focus, if any in particular.
pub(crate) fn current() -> Option<HtmlElement> {
    document().active_element()?.dyn_into().ok().filter(|element: &HtmlElement| element.tag_name() != "BODY")
}

/// Returns the focus to this element, unless another has it by the next frame.
pub(crate) fn return_to(element: Option<HtmlElement>) {
    request_animation_frame(move || {
        if current().is_none()
            && let Some(element) = element
        {
            // Refused only where that is gone as well.
            let _ = element.focus();
        }
    });
}

/// Gives the focus to what the selector finds within, unless another element has it by the next frame.
pub(crate) fn to_one_within(parent: Option<HtmlElement>, selector: &'static str) {
    request_animation_frame(move || {
        let found = parent.and_then(|parent| parent.query_selector(selector).ok().flatten());
        return_to(found.and_then(|element| element.dyn_into().ok()));
    });
}

/// A screen reader starts at the heading of a new page.
pub(crate) fn to_heading() {
    let heading = document().query_selector("h1").ok().flatten();
    if let Some(heading) = heading.and_then(|heading| heading.dyn_into::<HtmlElement>().ok()) {
        // A heading without a tabindex takes no focus, and nothing is wrong then.
        let _ = heading.focus();
    }
}

/// Moves the focus to the heading whenever `view` names another view, if it was lost with the former one.
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
