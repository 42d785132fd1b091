//! One inference worker: the only place where the page posts to one.

use std::cell::Cell;
use std::rc::Rc;

use gloo_events::EventListener;
use js_sys::{Array, Object, Reflect};
use mien_messages::{FrameHeader, FromWorker, ToWorker, part};
use wasm_bindgen::{JsCast, JsValue};

use super::error::describe;
use super::frame::FrameImage;
use super::policy::PolicyWatch;
use super::trusted;

/// What every worker of a pool is started with: compiled code and models, fetched once.
#[derive(Clone, Debug)]
pub(crate) struct WorkerKit {
    pub(crate) boot_url: String,
    pub(crate) glue_url: String,
    pub(crate) module: JsValue,
    /// Copied to each worker, so that a restarted one gets them again.
    pub(crate) models: ModelBuffers,
    pub(crate) policies: Rc<PolicyWatch>,
}

#[derive(Clone, Debug)]
pub(crate) struct ModelBuffers {
    pub(crate) near: js_sys::ArrayBuffer,
    pub(crate) far: js_sys::ArrayBuffer,
    pub(crate) expression: js_sys::ArrayBuffer,
}

#[derive(Debug)]
pub(crate) enum PortEvent {
    /// The picture that was sent with the frame comes back with the answer.
    Message(FromWorker, Option<FrameImage>),
    /// Its script was not fetched or not run.
    NotStarted,
    /// The worker trapped, ran out of memory, or sent something that is not a message of this build.
    Crashed(String),
}

/// A worker that did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StartFault {
    /// The page demands Trusted Types and does not allow our policy.
    Untrusted,
    /// Everything the browser said.
    Other(String),
}

/// A running worker. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct WorkerPort {
    worker: web_sys::Worker,
    _listeners: [EventListener; 3],
}

impl Drop for WorkerPort {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

impl WorkerPort {
    pub(crate) fn start(
        kit: &WorkerKit,
        on: impl Fn(PortEvent) + Clone + 'static,
    ) -> Result<Self, StartFault> {
        let other = |thrown: &JsValue| StartFault::Other(describe(thrown));
        let worker = trusted::module_worker(&kit.boot_url).map_err(|thrown| {
            if trusted::is_demanded(&thrown) { StartFault::Untrusted } else { other(&thrown) }
        })?;
        let heard = on.clone();
        let failed = on.clone();
        let runs = Rc::new(Cell::new(false));
        let speaks = runs.clone();
        let listeners = [
            EventListener::new(&worker, "message", move |event| {
                speaks.set(true);
                heard(event.dyn_ref::<web_sys::MessageEvent>().map_or_else(
                    || PortEvent::Crashed("not a message".to_owned()),
                    |event| read(&event.data()),
                ));
            }),
            EventListener::new(&worker, "error", move |event| {
                // An exception has a message, a script that was not run has none.
                let thrown = event.dyn_ref::<web_sys::ErrorEvent>().map(web_sys::ErrorEvent::message);
                failed(match thrown {
                    Some(message) => PortEvent::Crashed(message),
                    None if !runs.get() => PortEvent::NotStarted,
                    None => PortEvent::Crashed("failed without a word".to_owned()),
                });
            }),
            EventListener::new(&worker, "messageerror", move |_| {
                on(PortEvent::Crashed("sent what cannot be read".to_owned()));
            }),
        ];
        let port = Self { worker, _listeners: listeners };
        port.load(kit).map_err(|thrown| other(&thrown))?;
        Ok(port)
    }

    fn load(&self, kit: &WorkerKit) -> Result<(), JsValue> {
        let post = object(&ToWorker::Load.to_text())?;
        Reflect::set(&post, &part::GLUE.into(), &kit.glue_url.as_str().into())?;
        Reflect::set(&post, &part::MODULE.into(), &kit.module)?;
        let ModelBuffers { near, far, expression } = &kit.models;
        for (name, model) in [(part::NEAR, near), (part::FAR, far), (part::EXPRESSION, expression)] {
            Reflect::set(&post, &name.into(), model)?;
        }
        self.worker.post_message(&post)
    }

    /// Transfers a frame; the page does not have it until the answer brings it back.
    pub(crate) fn infer(&self, header: FrameHeader, bitmap: &web_sys::ImageBitmap) -> Result<(), String> {
        let post = || {
            let post = object(&ToWorker::Infer(header).to_text())?;
            Reflect::set(&post, &part::BITMAP.into(), bitmap)?;
            self.worker.post_message_with_transfer(&post, &Array::of1(bitmap))
        };
        post().map_err(text_of)
    }
}

/// A message with this header, to which parts may be added.
pub(super) fn object(header: &str) -> Result<Object, JsValue> {
    let post = Object::new();
    Reflect::set(&post, &part::HEADER.into(), &header.into())?;
    Ok(post)
}

fn read(data: &JsValue) -> PortEvent {
    let header = Reflect::get(data, &part::HEADER.into()).ok().and_then(|text| text.as_string());
    let bitmap = Reflect::get(data, &part::BITMAP.into())
        .ok()
        .and_then(|bitmap| bitmap.dyn_into::<web_sys::ImageBitmap>().ok())
        .map(FrameImage::new);
    match header.map(|text| FromWorker::from_text(&text)) {
        Some(Ok(message)) => PortEvent::Message(message, bitmap),
        _ => PortEvent::Crashed("the worker is not of this build".to_owned()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn text_of(thrown: JsValue) -> String {
    describe(&thrown)
}
