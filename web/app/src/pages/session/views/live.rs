//! The live view of a recording.

use leptos::prelude::*;

use super::notices::NoticeList;
use crate::components::{CameraSelect, LiveView, StageState};
use crate::pages::session::recording::{Phase, Recording, finish, markers, neutral, source};

#[component]
pub(crate) fn Live(recording: Recording) -> impl IntoView {
    let signals = recording.signals();
    let has_frame = Memo::new(move |_| signals.frame.with(Option::is_some));
    let stage = move || match recording.phase().get() {
        Phase::Opening(what) => StageState::Waiting(what),
        Phase::Paused => StageState::Paused,
        _ if !has_frame.get() => StageState::Waiting("Waiting for the first picture"),
        _ => StageState::Showing,
    };
    let link = Memo::new(move |_| recording.link_text());
    let pending = Memo::new(move |_| recording.pending());
    let bytes_sent = Signal::derive(move || Some(recording.bytes_sent().get()));
    let is_live = Memo::new(move |_| recording.phase().get() == Phase::Live);
    let camera = view! {
        <CameraSelect cameras=recording.cameras() open=recording.open_camera()
            disabled=Signal::derive(move || !is_live.get())
            on_select=Callback::new(move |id| source::use_camera(recording, id)) />
    };
    view! {
        <LiveView
            title=recording.name()
            link=link
            bytes_sent=bytes_sent
            pending=pending
            stage=Signal::derive(stage)
            progress=recording.progress()
            signals=signals
            session=Some(recording.session())
            share_link=Some(recording.share_link())
            on_stage=Some(camera.into_any())
            neutral=neutral::control(recording)
            on_pause=Callback::new(move |()| source::toggle_pause(recording))
            on_stop=Callback::new(move |()| finish::stop(recording))
            on_face=Callback::new(move |action| source::change_face(recording, action))
            on_mark=Callback::new(move |marker| recording.spawn(markers::store(recording, marker)))
            on_unmark=Callback::new(move |marker| recording.spawn(markers::delete(recording, marker)))
        >
            <NoticeList recording=recording />
        </LiveView>
    }
}
