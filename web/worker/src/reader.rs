//! The worker that reads frames for a hidden page: it holds the newest frame of a camera until the page takes it, and
//! ticks at a pace that a hidden page's own timers do not keep.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Interval;
use js_sys::{Array, Function, Object, Promise, Reflect};
use mien_messages::{FromReader, ToReader, part};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    DedicatedWorkerGlobalScope, ImageBitmap, MessageEvent, ReadableStream, ReadableStreamDefaultReader,
    VideoFrame,
};

struct Reader {
    scope: DedicatedWorkerGlobalScope,
    newest: RefCell<Option<Held>>,
    /// Frames that have arrived so far.
    arrived: Cell<u64>,
    frames: RefCell<Option<ReadableStreamDefaultReader>>,
    /// Of the page's, if it was handed over.
    track: Option<JsValue>,
    ticks: RefCell<Option<Interval>>,
}

/// A frame that is closed when it is dropped: a camera has only a few buffers and stops when all are in use.
struct Held(VideoFrame);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What the first message asks of a reader; `None` if it is for an inference worker.
pub(crate) fn asked(first: &JsValue) -> Option<ToReader> {
    let header = Reflect::get(first, &part::HEADER.into()).ok()?.as_string()?;
    ToReader::from_text(&header).ok()
}

/// Reads what the first message brings, until the page ends it.
pub(crate) fn serve(scope: &DedicatedWorkerGlobalScope, first: &JsValue, asked: ToReader) {
    let ToReader::Read { look_ms, beat_ms } = asked else { return scope.close() };
    let beside = |name: &str| Reflect::get(first, &name.into()).ok().filter(|part| !part.is_undefined());
    let track = beside(part::TRACK);
    let stream = match (beside(part::STREAM), &track) {
        (Some(stream), _) => stream.dyn_into::<ReadableStream>().ok(),
        (None, Some(track)) => frames_of(scope, track),
        (None, None) => None,
    };
    let gets_frames = stream.is_some();
    let reader = Rc::new(Reader {
        scope: scope.clone(),
        newest: RefCell::default(),
        arrived: Cell::new(0),
        frames: RefCell::default(),
        track,
        ticks: RefCell::default(),
    });
    let ticking = reader.clone();
    let tick = Interval::new(if gets_frames { beat_ms } else { look_ms }, move || {
        ticking.post(FromReader::Tick, None);
    });
    *reader.ticks.borrow_mut() = Some(tick);
    match stream {
        Some(stream) => spawn_local(reader.clone().read(stream)),
        // It cannot be used here.
        None => reader.stop_track(),
    }
    let answering = reader.clone();
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        match self::asked(&event.data()) {
            Some(ToReader::Take { long_side }) => spawn_local(answering.clone().hand_over(long_side)),
            Some(ToReader::End) => answering.end(),
            Some(ToReader::Read { .. }) | None => {}
        }
    });
    scope.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    // It listens for as long as the worker lives.
    listener.forget();
    reader.post(FromReader::Begun { gets_frames }, None);
}

/// The track's frames, if this browser has a processor in workers.
fn frames_of(scope: &DedicatedWorkerGlobalScope, track: &JsValue) -> Option<ReadableStream> {
    let class: Function = Reflect::get(scope, &"MediaStreamTrackProcessor".into()).ok()?.dyn_into().ok()?;
    let options = Object::new();
    Reflect::set(&options, &"track".into(), track).ok()?;
    let processor = Reflect::construct(&class, &Array::of1(&options)).ok()?;
    Reflect::get(&processor, &"readable".into()).ok()?.dyn_into().ok()
}

impl Reader {
    /// Until there are no more frames.
    async fn read(self: Rc<Self>, stream: ReadableStream) {
        let Ok(frames) = ReadableStreamDefaultReader::new(&stream) else { return };
        *self.frames.borrow_mut() = Some(Clone::clone(&frames));
        // The last step has no value.
        while let Ok(step) = JsFuture::from(frames.read()).await
            && let Ok(frame) = Reflect::get(&step, &"value".into()).and_then(JsCast::dyn_into)
        {
            // Newest wins: the one before it is closed here, unless the page has taken it.
            let before = self.newest.replace(Some(Held(frame)));
            drop(before);
            self.arrived.set(self.arrived.get() + 1);
            self.post(FromReader::Arrived { number: self.arrived.get(), at_ms: self.now_ms() }, None);
        }
    }

    async fn hand_over(self: Rc<Self>, long_side: u32) {
        let (number, held) = (self.arrived.get(), self.newest.take());
        let bitmap = match held {
            Some(held) => self.bitmap(&held.0, long_side).await.ok(),
            None => None,
        };
        self.post(FromReader::Taken { number }, bitmap.as_ref());
    }

    async fn bitmap(&self, frame: &VideoFrame, long_side: u32) -> Result<ImageBitmap, JsValue> {
        let options = Object::new();
        let longer = frame.display_width().max(frame.display_height());
        if longer > long_side {
            let scaled = |side: u32| f64::from(side) * f64::from(long_side) / f64::from(longer);
            let size = [("resizeWidth", frame.display_width()), ("resizeHeight", frame.display_height())];
            for (name, side) in size {
                Reflect::set(&options, &name.into(), &scaled(side).round().max(1.0).into())?;
            }
        }
        let make: Function = Reflect::get(&self.scope, &"createImageBitmap".into())?.dyn_into()?;
        let promise: Promise = make.call2(&self.scope, frame, &options)?.dyn_into()?;
        JsFuture::from(promise).await?.dyn_into()
    }

    fn end(self: &Rc<Self>) {
        self.ticks.take();
        self.newest.take();
        self.stop_track();
        let (scope, frames) = (self.scope.clone(), self.frames.take());
        spawn_local(async move {
            if let Some(frames) = frames {
                // Otherwise the page's end of the stream would keep taking frames. That end may be gone already.
                let _ = JsFuture::from(frames.cancel()).await;
            }
            scope.close();
        });
    }

    /// A camera stays on for as long as any of its tracks is live.
    fn stop_track(&self) {
        let Some(track) = &self.track else { return };
        let stop = Reflect::get(track, &"stop".into()).and_then(JsCast::dyn_into::<Function>);
        if let Ok(stop) = stop {
            // Stopping cannot fail.
            let _ = stop.call0(track);
        }
    }

    fn now_ms(&self) -> f64 {
        self.scope.performance().map_or(0.0, |clock| clock.time_origin() + clock.now())
    }

    fn post(self: &Rc<Self>, message: FromReader, bitmap: Option<&ImageBitmap>) {
        let object = Object::new();
        let posted =
            Reflect::set(&object, &part::HEADER.into(), &message.to_text().into()).and_then(
                |_| match bitmap {
                    Some(bitmap) => {
                        Reflect::set(&object, &part::BITMAP.into(), bitmap)?;
                        self.scope.post_message_with_transfer(&object, &Array::of1(bitmap))
                    }
                    None => self.scope.post_message(&object),
                },
            );
        if posted.is_err() {
            // Without a port there is no one to read for.
            self.end();
        }
    }
}
