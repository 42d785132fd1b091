//! Selects one of several cameras.

use leptos::prelude::*;
use mien_engine::CameraDevice;

use super::icon::{Glyph, Icon};
use crate::model::format;

/// A list over the stage; nothing if there is no choice.
#[component]
pub(crate) fn CameraSelect(
    #[prop(into)] cameras: Signal<Vec<CameraDevice>>,
    /// Id of the camera that is open.
    #[prop(into)]
    open: Signal<Option<String>>,
    #[prop(into)] disabled: Signal<bool>,
    on_select: Callback<String>,
) -> impl IntoView {
    let several = Memo::new(move |_| cameras.with(|cameras| cameras.len() > 1));
    let options = move || {
        let option = |(place, camera): (usize, CameraDevice)| {
            let id = camera.id.clone();
            let selected = move || open.with(|open| open.as_deref() == Some(&*id));
            let name = format::camera(&camera.label, place + 1);
            view! { <option value=camera.id translate="no" prop:textContent=name prop:selected=selected></option> }
        };
        cameras.get().into_iter().enumerate().map(option).collect_view()
    };
    view! {
        <Show when=move || several.get()>
            <label class="camera-select" title="Camera">
                <Icon glyph=Glyph::Camera />
                <span class="visually-hidden">"Camera"</span>
                <select data-testid="camera" disabled=move || disabled.get()
                    on:change=move |event| on_select.run(event_target_value(&event))>
                    {options}
                </select>
            </label>
        </Show>
    }
}
