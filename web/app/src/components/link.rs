//! Links that stay within the page.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::model::route::Route;
use crate::router::Router;

/// With a modifier or another button the browser does what it does with any link.
#[component]
pub(crate) fn Link(
    to: Route,
    #[prop(default = "")] class: &'static str,
    #[prop(default = "")] testid: &'static str,
    children: Children,
) -> impl IntoView {
    let router = expect_context::<Router>();
    let follow = move |event: MouseEvent| {
        let plain = event.button() == 0
            && !event.ctrl_key()
            && !event.meta_key()
            && !event.shift_key()
            && !event.alt_key();
        if plain {
            event.prevent_default();
            router.go(to);
        }
    };
    view! {
        <a class=class data-testid=(!testid.is_empty()).then_some(testid) href=to.address() on:click=follow>
            {children()}
        </a>
    }
}
