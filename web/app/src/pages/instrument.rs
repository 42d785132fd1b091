//! The live view, whatever its source: bar, face, figures, timeline, controls and keys.

use leptos::prelude::*;
use mien_engine::{LoadProgress, wall_now};
use mien_shared::SessionId;

use crate::components::{
    Bars, Controls, Faces, Key, KeysDialog, LinkWords, MarkerStrip, Now, Quality, ShareStrip, Stage,
    StageState, TimelinePlot, TopBar, global_keys,
};
use crate::focus;
use crate::model::timeline::Flag;
use crate::reading::Reading;

/// What is open below the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strip {
    Closed,
    Share,
    /// A marker at this capture time, Unix milliseconds.
    Marker(u64),
}

#[component]
pub(crate) fn Instrument(
    #[prop(into)] title: Signal<String>,
    #[prop(into)] link: Signal<LinkWords>,
    #[prop(into)] sent: Signal<Option<u64>>,
    #[prop(into)] pending: Signal<u64>,
    #[prop(into)] stage: Signal<StageState>,
    #[prop(into)] progress: Signal<Option<LoadProgress>>,
    reading: Reading,
    #[prop(default = None)] session: Option<SessionId>,
    /// The address for watchers, where there are any.
    #[prop(default = None)]
    share_link: Option<String>,
    #[prop(default = "Stop")] stop_label: &'static str,
    /// Over the picture, such as the choice of camera.
    #[prop(default = None)]
    on_stage: Option<AnyView>,
    on_pause: Callback<()>,
    on_stop: Callback<()>,
    /// A moment that the person named, and one whose name they took back.
    on_mark: Callback<Flag>,
    on_unmark: Callback<Flag>,
    /// Notices.
    children: Children,
) -> impl IntoView {
    let strip = RwSignal::new(Strip::Closed);
    let keys_open = RwSignal::new(false);
    let markers = RwSignal::new(0_u32);
    let paused = Memo::new(move |_| stage.get() == StageState::Paused);
    let opener = StoredValue::new_local(None);
    let shut = move || {
        strip.set(Strip::Closed);
        focus::back_to(opener.try_update_value(Option::take).flatten());
    };
    let open = move |other: Strip| {
        if strip.get_untracked() == Strip::Closed {
            opener.set_value(focus::current());
        }
        strip.set(other);
    };
    let toggle = move |other: Strip| if strip.get_untracked() == other { shut() } else { open(other) };
    // Before the first picture it is the moment itself.
    let mark = move || open(Strip::Marker(reading.newest_ms().unwrap_or_else(|| wall_now().0)));
    global_keys(move |key| match key {
        // The dialog covers what they would act on.
        _ if keys_open.get_untracked() => {}
        Key::Pause => on_pause.run(()),
        Key::Mark => mark(),
        Key::Help => keys_open.set(true),
        Key::Close => shut(),
    });
    let close = Callback::new(move |()| shut());
    let shares = share_link.is_some();
    let save = move |at_ms: u64| {
        Callback::new(move |label: String| {
            markers.update(|count| *count += 1);
            let flag = Flag { at_ms, label };
            reading.flag(flag.clone());
            on_mark.run(flag);
            shut();
        })
    };
    let delete = Callback::new(move |flag: Flag| {
        reading.unflag(&flag);
        on_unmark.run(flag);
    });
    let open_strip = move || match strip.get() {
        Strip::Closed => None,
        Strip::Share => {
            share_link.clone().map(|link| view! { <ShareStrip link=link on_close=close /> }.into_any())
        }
        Strip::Marker(at_ms) => {
            let label = format!("Marker {}", markers.get_untracked() + 1);
            Some(
                view! {
                    <MarkerStrip at_ms=at_ms default_label=label timeline=reading.timeline
                        on_save=save(at_ms) on_delete=delete on_close=close />
                }
                .into_any(),
            )
        }
    };
    view! {
        <main class="live" data-testid="live" data-session=session.map(|id| id.to_string())>
            <TopBar title=title link=link sent=sent pending=pending stop_label=stop_label on_stop=on_stop />
            <div class="notices">{children()}{open_strip}</div>
            <Stage reading=reading state=stage progress=progress>{on_stage}</Stage>
            <section class="panel" aria-label="Expression">
                <Now face=reading.main begun=reading.begun spoken=reading.spoken testid="expression" />
                <Bars face=reading.main />
                <Quality face=reading.main />
                <Faces reading=reading />
            </section>
            <TimelinePlot timeline=reading.timeline />
            <Controls
                paused=paused
                on_pause=on_pause
                on_mark=Callback::new(move |()| mark())
                on_share=shares.then(|| Callback::new(move |()| toggle(Strip::Share)))
                on_keys=Callback::new(move |()| keys_open.set(true))
            />
        </main>
        <KeysDialog open=keys_open />
    }
}
