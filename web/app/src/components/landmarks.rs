//! Landmarks: the switch, and what they say of the main face.

use leptos::prelude::*;
use mien_engine::LoadProgress;
use mien_shared::Face;

use super::text::text;
use crate::analysis::Analysis;
use crate::model::format;
use crate::model::landmarks::{LandmarkSwitch, download_bytes, eyes, head, lean};
use crate::source_signals::SourceSignals;

/// Off until it is switched on, and then on every visit.
#[component]
pub(crate) fn Landmarks(signals: SourceSignals) -> impl IntoView {
    let analysis = expect_context::<Analysis>();
    let state = analysis.landmarks();
    let wanted = Memo::new(move |_| state.with(LandmarkSwitch::is_wanted));
    let failure = Memo::new(move |_| match state.get() {
        LandmarkSwitch::Failed(why) => Some(why),
        _ => None,
    });
    let progress = Memo::new(move |_| match state.get() {
        LandmarkSwitch::Loading(progress) => Some(progress),
        _ => None,
    });
    let is_off = move || matches!(state.get(), LandmarkSwitch::Off);
    view! {
        <div class="landmarks" data-testid="landmarks" data-state=move || state.with(LandmarkSwitch::name)>
            <label class="switch">
                <input type="checkbox" role="switch" data-testid="landmarks-switch" prop:checked=move || wanted.get()
                    on:change=move |event| analysis.switch_landmarks(event_target_checked(&event)) />
                <span>"Head pose and eyes"</span>
                <Show when=is_off>
                    <span class="hint">"downloads "<span translate="no" lang="en">{format::bytes(download_bytes())}</span></span>
                </Show>
            </label>
            {move || progress.get().map(|progress| view! { <Loading progress=progress /> })}
            <Show when=move || failure.with(Option::is_some)>
                <div class="row" role="status" data-testid="landmarks-fault">
                    <p class="hint" prop:textContent=text(move || failure.get().unwrap_or_default())></p>
                    <button data-testid="landmarks-retry" on:click=move |_| analysis.switch_landmarks(true)>"Try again"</button>
                </div>
            </Show>
            <Show when=move || state.get() == LandmarkSwitch::On>
                <Pose face=signals.main_face mirrored=signals.is_mirrored() />
            </Show>
        </div>
    }
}

#[component]
fn Loading(progress: Option<LoadProgress>) -> impl IntoView {
    progress.map_or_else(
        || view! { <progress aria-label="Waiting for the analysis"></progress> }.into_any(),
        |now| {
            view! {
                <progress aria-label="Loading the models for head pose and eyes"
                    max=now.total_bytes.to_string() prop:value=now.loaded_bytes as f64></progress>
            }
            .into_any()
        },
    )
}

/// Two lines that keep their place: where the head points, and the eyes.
#[component]
fn Pose(#[prop(into)] face: Signal<Option<Face>>, #[prop(into)] mirrored: Signal<bool>) -> impl IntoView {
    let of = Memo::new(move |_| face.with(|face| face.as_ref().and_then(|face| face.landmarks.clone())));
    let dash = || "–".to_owned();
    let turned = move || {
        let mirrored = mirrored.get();
        of.with(|of| of.as_ref().and_then(|of| head(of, mirrored))).unwrap_or_else(dash)
    };
    let leaning = move || {
        let mirrored = mirrored.get();
        of.with(|of| of.as_ref().and_then(|of| lean(of, mirrored))).unwrap_or_else(dash)
    };
    let open = move || of.with(|of| of.as_ref().and_then(|of| eyes(of))).unwrap_or("–");
    view! {
        <dl class="pose">
            <dt>"Head"</dt>
            <dd translate="no" lang="en" data-testid="head" prop:textContent=text(turned)></dd>
            <dd translate="no" lang="en" data-testid="lean" prop:textContent=text(leaning)></dd>
            <dt>"Eyes"</dt>
            <dd translate="no" lang="en" data-testid="eyes" prop:textContent=text(open)></dd>
        </dl>
    }
}
