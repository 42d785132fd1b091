//! Streams that a test controls.

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MediaStream, MediaStreamTrack};

use crate::StreamHandle;

/// A canvas that changes all the time, captured as a stream, with an audio track beside it.
const FILMED: &str = "
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 48];
    const context = canvas.getContext('2d');
    let count = 0;
    const paint = () => {
        context.fillStyle = count++ % 2 ? 'red' : 'blue';
        context.fillRect(0, 0, 64, 48);
    };
    let draw = setInterval(paint, 20);
    const stream = canvas.captureStream();
    stream.addTrack(new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]);
    return { stream, still: () => clearInterval(draw), go: () => { draw = setInterval(paint, 20); } };
";

pub(super) struct Filmed {
    pub(super) stream: MediaStream,
    still: Function,
    go: Function,
}

impl Filmed {
    pub(super) fn new() -> Self {
        let made = Function::new_no_args(FILMED).call0(&JsValue::NULL).unwrap();
        let get = |name: &str| Reflect::get(&made, &name.into()).unwrap();
        Self {
            stream: get("stream").unchecked_into(),
            still: get("still").unchecked_into(),
            go: get("go").unchecked_into(),
        }
    }

    /// Exactly this stream: its own `clone` would return another one with other tracks.
    pub(super) fn handle(&self) -> StreamHandle {
        StreamHandle::from(Clone::clone(&self.stream))
    }

    /// No more frames, although the track stays live.
    pub(super) fn stop(&self) {
        self.still.call0(&JsValue::NULL).unwrap();
    }

    pub(super) fn go_on(&self) {
        self.go.call0(&JsValue::NULL).unwrap();
    }

    pub(super) fn video(&self) -> MediaStreamTrack {
        self.stream.get_video_tracks().get(0).unchecked_into()
    }

    pub(super) fn audio(&self) -> MediaStreamTrack {
        self.stream.get_audio_tracks().get(0).unchecked_into()
    }
}

impl Drop for Filmed {
    fn drop(&mut self) {
        self.stop();
        for track in self.stream.get_tracks().iter() {
            track.unchecked_into::<MediaStreamTrack>().stop();
        }
    }
}

/// Dispatches this event on a track as the browser does; no script can make the browser do it.
pub(super) fn dispatch(track: &MediaStreamTrack, name: &str) {
    track.dispatch_event(&web_sys::Event::new(name).unwrap()).unwrap();
}

pub(super) fn set_muted(track: &MediaStreamTrack, muted: bool) {
    let set = Function::new_with_args(
        "track, muted",
        "Object.defineProperty(track, 'muted', { value: muted, configurable: true });",
    );
    set.call2(&JsValue::NULL, track, &muted.into()).unwrap();
    dispatch(track, if muted { "mute" } else { "unmute" });
}

/// An embedder's video element that shows this stream. It is in the document: Chromium 156 plays one that is not, but
/// makes no bitmap of it unless a script has asked it to play.
pub(super) fn element(stream: &MediaStream) -> web_sys::HtmlVideoElement {
    let document = web_sys::window().unwrap().document().unwrap();
    let video: web_sys::HtmlVideoElement = document.create_element("video").unwrap().unchecked_into();
    video.set_muted(true);
    video.set_autoplay(true);
    video.set_src_object(Some(stream));
    document.body().unwrap().append_child(&video).unwrap();
    video
}
