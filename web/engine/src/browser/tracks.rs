//! The video tracks of an element's current stream. Audio tracks are ignored: they may come, be muted or end.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{HtmlVideoElement, MediaStream, MediaStreamTrack, MediaStreamTrackState};

/// What can be expected of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pictures {
    /// It plays a file, or anything else that is no stream.
    OfFile,
    /// A track of its stream delivers pictures, or soon will.
    Live,
    /// The browser or the system has muted every track: no picture comes until one is unmuted.
    Muted,
    /// It has no stream, or one without a video track. It may get another.
    Absent,
    /// There were tracks, and all have ended for good.
    Ended,
}

/// The element's stream, if it has one: browsers also accept a file there.
pub(crate) fn stream(video: &HtmlVideoElement) -> Option<MediaStream> {
    // By name: the binding would take anything for a stream.
    let object = js_sys::Reflect::get(video, &"srcObject".into()).ok()?;
    object.dyn_into().ok()
}

pub(crate) fn video_tracks(stream: &MediaStream) -> Vec<MediaStreamTrack> {
    stream.get_video_tracks().iter().filter_map(|track| track.dyn_into().ok()).collect()
}

/// The track that delivers the element's pictures; `None` if it plays a file, or nothing.
pub(crate) fn live(video: &HtmlVideoElement) -> Option<MediaStreamTrack> {
    let mut tracks = video_tracks(&stream(video)?).into_iter();
    tracks.find(|track| track.ready_state() == MediaStreamTrackState::Live)
}

pub(crate) fn pictures(video: &HtmlVideoElement) -> Pictures {
    let Some(stream) = stream(video) else {
        return if video.current_src().is_empty() { Pictures::Absent } else { Pictures::OfFile };
    };
    let tracks = video_tracks(&stream);
    let live: Vec<_> =
        tracks.iter().filter(|track| track.ready_state() == MediaStreamTrackState::Live).collect();
    match (tracks.is_empty(), live.is_empty()) {
        (true, _) => Pictures::Absent,
        (false, true) => Pictures::Ended,
        (false, false) if live.iter().all(|track| track.muted()) => Pictures::Muted,
        (false, false) => Pictures::Live,
    }
}

/// Calls back whenever what can be expected of the element may have changed, until it is dropped.
#[derive(Debug)]
pub(crate) struct TracksGuard {
    watch: Rc<Watch>,
    _element: Vec<EventListener>,
}

struct Watch {
    video: HtmlVideoElement,
    present: RefCell<Present>,
    on: Box<dyn Fn(Pictures)>,
}

/// What is listened to.
#[derive(Debug, Default)]
struct Present {
    stream: Option<MediaStream>,
    tracks: Vec<MediaStreamTrack>,
    _listeners: Vec<EventListener>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watch({:?})", self.present.borrow())
    }
}

impl TracksGuard {
    pub(crate) fn new(video: &HtmlVideoElement, on: impl Fn(Pictures) + 'static) -> Self {
        let watch = Rc::new(Watch { video: video.clone(), present: RefCell::default(), on: Box::new(on) });
        watch.attach();
        // Another stream has no event of its own; the element starts to load it.
        let element = ["emptied", "loadstart", "loadedmetadata"].map(|name| {
            let weak = Rc::downgrade(&watch);
            EventListener::new(video, name, move |_| Watch::changed(&weak))
        });
        Self { watch, _element: element.into() }
    }

    /// Finds what has no event: a page's own `addTrack`, `removeTrack` and `stop`. Does not call back.
    pub(crate) fn look(&self) -> Pictures {
        self.watch.attach();
        pictures(&self.watch.video)
    }
}

impl Watch {
    fn changed(weak: &Weak<Self>) {
        if let Some(watch) = weak.upgrade() {
            watch.attach();
            (watch.on)(pictures(&watch.video));
        }
    }

    fn attach(self: &Rc<Self>) {
        let stream = stream(&self.video);
        let tracks = stream.as_ref().map(video_tracks).unwrap_or_default();
        {
            let present = self.present.borrow();
            if present.stream == stream && present.tracks == tracks {
                return;
            }
        }
        let listen = |target: &web_sys::EventTarget, name: &'static str| {
            let weak = Rc::downgrade(self);
            EventListener::new(target, name, move |_| Self::changed(&weak))
        };
        let mut listeners = Vec::new();
        if let Some(stream) = &stream {
            listeners.extend(["addtrack", "removetrack"].map(|name| listen(stream, name)));
        }
        for track in &tracks {
            listeners.extend(["ended", "mute", "unmute"].map(|name| listen(track, name)));
        }
        let before = self.present.replace(Present { stream, tracks, _listeners: listeners });
        drop(before);
    }
}
