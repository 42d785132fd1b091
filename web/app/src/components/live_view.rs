//! The live view, whatever its source: bar, stage, figures, timeline, controls and keys.

use leptos::prelude::*;
use mien_engine::{LoadProgress, wall_now};
use mien_shared::SessionId;

use super::bars::Bars;
use super::controls::Controls;
use super::current_expression::CurrentExpression;
use super::faces::{FaceAction, Faces};
use super::keys::{Key, KeysDialog, global_keys};
use super::landmarks::Landmarks;
use super::neutral::{NeutralAct, NeutralControl, NeutralStrip};
use super::quality::Quality;
use super::stage::{Stage, StageState};
use super::stop::StopButton;
use super::strip::{MarkerStrip, ShareStrip};
use super::text::text;
use super::timeline::TimelinePlot;
use super::top_bar::TopBar;
use super::valence::Valence;
use crate::browser::focus;
use crate::model::link::LinkText;
use crate::model::timeline::TimelineMarker;
use crate::source_signals::SourceSignals;

/// What is open below the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strip {
    Closed,
    Share,
    /// A marker at this capture time, Unix milliseconds.
    Marker(u64),
    /// The own neutral face.
    Neutral,
}

#[component]
pub(crate) fn LiveView(
    #[prop(into)] title: Signal<String>,
    #[prop(into)] link: Signal<LinkText>,
    #[prop(into)] bytes_sent: Signal<Option<u64>>,
    #[prop(into)] pending: Signal<u64>,
    #[prop(into)] stage: Signal<StageState>,
    #[prop(into)] progress: Signal<Option<LoadProgress>>,
    signals: SourceSignals,
    #[prop(default = None)] session: Option<SessionId>,
    /// The address for watchers, where there are any.
    #[prop(default = None)]
    share_link: Option<String>,
    #[prop(default = "Stop")] stop_label: &'static str,
    /// Over the picture, such as the choice of camera.
    #[prop(default = None)]
    on_stage: Option<AnyView>,
    neutral: NeutralControl,
    on_pause: Callback<()>,
    on_stop: Callback<()>,
    /// A face that the person leaves out, or brings back.
    on_face: Callback<FaceAction>,
    /// A marker that the person saved, and one that they deleted.
    on_mark: Callback<TimelineMarker>,
    on_unmark: Callback<TimelineMarker>,
    /// Notices.
    children: Children,
) -> impl IntoView {
    let strip = RwSignal::new(Strip::Closed);
    let keys_open = RwSignal::new(false);
    let is_asking = RwSignal::new(false);
    let marker_count = RwSignal::new(0_u32);
    let paused = Memo::new(move |_| stage.get() == StageState::Paused);
    let opener = StoredValue::new_local(None);
    let cancel_neutral = move || {
        if !signals.neutral.with_untracked(|shown| shown.comes_first)
            && signals.neutral.with_untracked(|shown| shown.step.is_taking())
        {
            neutral.act.run(NeutralAct::Cancel);
        }
    };
    let close_strip = move || {
        if strip.get_untracked() == Strip::Neutral {
            cancel_neutral();
        }
        strip.set(Strip::Closed);
        focus::return_to(opener.try_update_value(Option::take).flatten());
    };
    let open = move |other: Strip| {
        if strip.get_untracked() == Strip::Closed {
            opener.set_value(focus::current());
        }
        strip.set(other);
    };
    // A recording that waits for it goes on through this strip alone.
    let shown = Memo::new(move |_| match strip.get() {
        Strip::Closed if signals.neutral.with(|shown| shown.comes_first) => Strip::Neutral,
        strip => strip,
    });
    let toggle = move |other: Strip| if strip.get_untracked() == other { close_strip() } else { open(other) };
    // Before the first picture it is the present time.
    let mark = move || open(Strip::Marker(signals.newest_ms().unwrap_or_else(|| wall_now().0)));
    global_keys(move |key| match key {
        // A dialog covers what the keys act on.
        _ if keys_open.get_untracked() || is_asking.get_untracked() => {}
        Key::Pause => on_pause.run(()),
        Key::Mark => mark(),
        Key::Neutral => toggle(Strip::Neutral),
        Key::Help => keys_open.set(true),
        Key::Close => close_strip(),
    });
    let close = Callback::new(move |()| close_strip());
    let can_share = share_link.is_some();
    let save = move |at_ms: u64| {
        Callback::new(move |label: String| {
            marker_count.update(|count| *count += 1);
            let marker = TimelineMarker { at_ms, label };
            signals.add_marker(marker.clone());
            on_mark.run(marker);
            close_strip();
        })
    };
    let delete = Callback::new(move |marker: TimelineMarker| {
        signals.remove_marker(&marker);
        on_unmark.run(marker);
    });
    let open_strip = move || match shown.get() {
        Strip::Closed => None,
        Strip::Share => {
            share_link.clone().map(|link| view! { <ShareStrip link=link on_close=close /> }.into_any())
        }
        Strip::Neutral => {
            Some(view! { <NeutralStrip signals=signals control=neutral on_close=close /> }.into_any())
        }
        Strip::Marker(at_ms) => {
            let label = format!("Marker {}", marker_count.get_untracked() + 1);
            Some(
                view! {
                    <MarkerStrip at_ms=at_ms default_label=label timeline=signals.timeline
                        on_save=save(at_ms) on_delete=delete on_close=close />
                }
                .into_any(),
            )
        }
    };
    view! {
        <main class="live" data-testid="live" data-session=session.map(|id| id.to_string())>
            <TopBar title=title link=link bytes_sent=bytes_sent pending=pending />
            // For screen readers, which often ignore a live region that is inserted together with its text.
            <p class="visually-hidden" role="status" translate="no" lang="en" data-testid="neutral-spoken"
                prop:textContent=text(move || signals.neutral.with(|neutral| neutral.spoken.clone()))></p>
            <div class="notices">{children()}{open_strip}</div>
            <Stage signals=signals state=stage progress=progress>{on_stage}</Stage>
            <section class="panel" tabindex="0" aria-label="Expression">
                <CurrentExpression face=signals.main_face is_active=signals.is_active announced=signals.announced testid="expression" />
                <Bars face=signals.main_face />
                <Valence face=signals.main_face />
                <Quality face=signals.main_face reason=signals.explained() />
                <Faces signals=signals on_face=on_face />
                <Landmarks signals=signals />
            </section>
            <TimelinePlot timeline=signals.timeline />
            <Controls
                paused=paused
                on_pause=on_pause
                on_mark=Callback::new(move |()| mark())
                on_neutral=Callback::new(move |()| toggle(Strip::Neutral))
                on_share=can_share.then(|| Callback::new(move |()| toggle(Strip::Share)))
                on_keys=Callback::new(move |()| keys_open.set(true))
            />
            <StopButton label=stop_label asks=session.is_some().then_some(is_asking) on_stop=on_stop />
        </main>
        <KeysDialog open=keys_open />
    }
}
