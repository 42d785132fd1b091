//! The worker that reads a video's frames while the page is hidden: the only place where the page posts to one.
//!
//! Which way it reads depends on what the browser has:
//! * a `MediaStreamTrackProcessor` on the page (Chromium): the page makes the stream of frames and transfers it;
//! * one in workers alone: the page transfers a clone of the track;
//! * neither, or a file: the worker ticks, and the page looks at its video element.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

use futures_channel::oneshot;
use gloo_events::EventListener;
use js_sys::{Array, Function, Object, Reflect};
use mien_messages::{FromReader, ToReader, part};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ImageBitmap, MediaStreamTrack};

use super::clock::captured_at;
use super::error::describe;
use super::trusted;
use super::worker::{WorkerKit, object};
use crate::clock::Captured;

/// How often the page looks at its video if no worker can: more often than most films change.
const LOOK_MS: u32 = 50;
/// How often the page gets to run otherwise, as often as its own timer runs while it is visible.
const BEAT_MS: u32 = 250;

#[derive(Clone, Copy, Debug)]
pub(crate) enum ReaderEvent {
    /// It runs. Unless it gets the frames, the page has to look at every tick.
    Begun {
        gets_frames: bool,
    },
    Tick,
    /// There is a frame to take.
    Arrived(Captured),
    /// It did not start, or failed.
    Failed,
}

/// A running reader. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct FrameReader {
    worker: web_sys::Worker,
    /// What it reads; `None` for a file.
    track: Option<MediaStreamTrack>,
    state: Rc<State>,
    _listeners: [EventListener; 3],
}

#[derive(Debug, Default)]
struct State {
    begun: Cell<bool>,
    /// A frame was told that the page has not taken.
    has_frame: Cell<bool>,
    /// A frame is on its way to the page.
    taking: RefCell<Option<oneshot::Sender<Option<ImageBitmap>>>>,
    /// The newest frame that was told meanwhile. It may be the very one that is on its way.
    told: Cell<Option<(u64, Captured)>>,
}

impl Drop for FrameReader {
    fn drop(&mut self) {
        let ended = self.state.begun.get() && self.post(ToReader::End).is_ok();
        if !ended {
            self.worker.terminate();
        }
    }
}

/// What the worker gets with its first message.
enum Supply {
    Stream(JsValue),
    Track(MediaStreamTrack),
    Nothing,
}

impl FrameReader {
    /// `track`: the source's video track, unless it is a file.
    pub(crate) fn start(
        kit: &WorkerKit,
        track: Option<MediaStreamTrack>,
        on: impl Fn(ReaderEvent) + Clone + 'static,
    ) -> Result<Self, String> {
        let worker = trusted::module_worker(&kit.boot_url).map_err(|thrown| describe(&thrown))?;
        let state = Rc::new(State::default());
        let (heard, hears) = (state.clone(), on.clone());
        let failed = ["error", "messageerror"].map(|name| {
            let on = on.clone();
            EventListener::new(&worker, name, move |_| on(ReaderEvent::Failed))
        });
        let message = EventListener::new(&worker, "message", move |event| {
            if let Some(event) = event.dyn_ref::<web_sys::MessageEvent>() {
                heard.hear(&event.data(), &hears);
            }
        });
        let [error, message_error] = failed;
        let reader = Self { worker, track, state, _listeners: [message, error, message_error] };
        reader.supply(kit).map_err(|thrown| describe(&thrown))?;
        Ok(reader)
    }

    fn supply(&self, kit: &WorkerKit) -> Result<(), JsValue> {
        match Supply::of(self.track.as_ref()) {
            Supply::Stream(stream) => {
                self.read(kit, Some((part::STREAM, &stream))).or_else(|_| self.read(kit, None))
            }
            Supply::Track(track) => self.read(kit, Some((part::TRACK, &track))).or_else(|_| {
                // Nobody else would, and the camera would stay on.
                track.stop();
                self.read(kit, None)
            }),
            Supply::Nothing => self.read(kit, None),
        }
    }

    /// Throws, and posts nothing, if this browser cannot transfer such a part.
    fn read(&self, kit: &WorkerKit, supply: Option<(&str, &JsValue)>) -> Result<(), JsValue> {
        let post = object(&ToReader::Read { look_ms: LOOK_MS, beat_ms: BEAT_MS }.to_text())?;
        Reflect::set(&post, &part::GLUE.into(), &kit.glue_url.as_str().into())?;
        Reflect::set(&post, &part::MODULE.into(), &kit.module)?;
        let Some((name, part)) = supply else { return self.worker.post_message(&post) };
        Reflect::set(&post, &name.into(), part)?;
        self.worker.post_message_with_transfer(&post, &Array::of1(part))
    }

    fn post(&self, message: ToReader) -> Result<(), JsValue> {
        self.worker.post_message(&object(&message.to_text())?.into())
    }

    /// Whether it reads this track, or a file if there is none.
    pub(crate) fn reads(&self, track: Option<&MediaStreamTrack>) -> bool {
        self.track.as_ref() == track
    }

    /// Takes the newest frame, its longer side reduced to at most this; `None` if there is none to take. Its future
    /// yields nothing if the reader ends first.
    pub(crate) fn take(&self, long_side: u32) -> Option<impl Future<Output = Option<ImageBitmap>> + use<>> {
        if !self.state.has_frame.replace(false) || self.post(ToReader::Take { long_side }).is_err() {
            return None;
        }
        let (tell, told) = oneshot::channel();
        *self.state.taking.borrow_mut() = Some(tell);
        Some(async move { told.await.ok().flatten() })
    }
}

impl State {
    fn hear(&self, data: &JsValue, on: &impl Fn(ReaderEvent)) {
        let header = Reflect::get(data, &part::HEADER.into()).ok().and_then(|text| text.as_string());
        match header.map(|text| FromReader::from_text(&text)) {
            Some(Ok(FromReader::Begun { gets_frames })) => {
                self.begun.set(true);
                on(ReaderEvent::Begun { gets_frames });
            }
            Some(Ok(FromReader::Tick)) => on(ReaderEvent::Tick),
            Some(Ok(FromReader::Arrived { number, at_ms })) => {
                let captured = captured_at(at_ms);
                if self.taking.borrow().is_some() {
                    self.told.set(Some((number, captured)));
                } else {
                    self.has_frame.set(true);
                    on(ReaderEvent::Arrived(captured));
                }
            }
            Some(Ok(FromReader::Taken { number })) => {
                let bitmap =
                    Reflect::get(data, &part::BITMAP.into()).ok().and_then(|part| part.dyn_into().ok());
                if let Some(taking) = self.taking.take() {
                    // The run may have ended.
                    if let Err(Some(unused)) = taking.send(bitmap) {
                        unused.close();
                    }
                }
                let newer = self.told.take().filter(|(told, _)| *told > number);
                if let Some((_, captured)) = newer {
                    self.has_frame.set(true);
                    on(ReaderEvent::Arrived(captured));
                }
            }
            // Its script could not start it.
            Some(Err(_)) | None => on(ReaderEvent::Failed),
        }
    }
}

impl Supply {
    fn of(track: Option<&MediaStreamTrack>) -> Self {
        let Some(track) = track else { return Self::Nothing };
        match processor_class() {
            Some(class) => frames_of(&class, track).map_or(Self::Nothing, Self::Stream),
            // The element needs the original.
            None => Self::Track(MediaStreamTrack::clone(track)),
        }
    }
}

/// By name: there is no stable binding.
fn processor_class() -> Option<Function> {
    Reflect::get(&js_sys::global(), &"MediaStreamTrackProcessor".into()).ok()?.dyn_into().ok()
}

fn frames_of(class: &Function, track: &MediaStreamTrack) -> Option<JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"track".into(), track).ok()?;
    let processor = Reflect::construct(class, &Array::of1(&options)).ok()?;
    Reflect::get(&processor, &"readable".into()).ok().filter(JsValue::is_object)
}
