//! Cameras, files, elements and streams.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// A camera to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraDevice {
    pub id: String,
    /// Empty until the person has allowed a camera once.
    pub label: String,
}

/// Which way a phone's camera faces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Facing {
    /// Towards the person who holds the device; shown mirrored.
    #[default]
    User,
    /// Away from that person.
    Environment,
}

/// Which camera to open. Without a device the browser chooses one that faces the requested way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CameraChoice {
    /// An id from [`crate::devices`]. If that camera is gone or busy, another one is tried.
    pub device_id: Option<String>,
    pub facing: Facing,
}

/// A file that the person picked. It is read here and goes nowhere.
#[derive(Clone, Debug)]
pub struct PickedFile(pub(crate) web_sys::File);

impl From<web_sys::File> for PickedFile {
    fn from(file: web_sys::File) -> Self {
        Self(file)
    }
}

impl PickedFile {
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// By the browser's guess of the file's type.
    pub fn is_picture(&self) -> bool {
        self.0.type_().starts_with("image/")
    }
}

/// A video element of the embedder.
#[derive(Clone, Debug)]
pub struct VideoHandle(pub(crate) web_sys::HtmlVideoElement);

impl From<web_sys::HtmlVideoElement> for VideoHandle {
    fn from(video: web_sys::HtmlVideoElement) -> Self {
        Self(video)
    }
}

/// A stream of the embedder.
#[derive(Clone, Debug)]
pub struct StreamHandle(pub(crate) web_sys::MediaStream);

impl From<web_sys::MediaStream> for StreamHandle {
    fn from(stream: web_sys::MediaStream) -> Self {
        Self(stream)
    }
}

/// The cameras of this machine; empty if the page is not allowed to know them.
pub async fn devices() -> Vec<CameraDevice> {
    let Some(media) = web_sys::window().and_then(|window| window.navigator().media_devices().ok()) else {
        return Vec::new();
    };
    let Ok(promise) = media.enumerate_devices() else { return Vec::new() };
    let Ok(list) = JsFuture::from(promise).await else { return Vec::new() };
    js_sys::Array::from(&list)
        .iter()
        .filter_map(|entry| entry.dyn_into::<web_sys::MediaDeviceInfo>().ok())
        .filter(|device| device.kind() == web_sys::MediaDeviceKind::Videoinput)
        .map(|device| CameraDevice { id: device.device_id(), label: device.label() })
        .collect()
}

/// Calls back when a camera was plugged in or unplugged, until it is dropped. [`devices`] tells which.
#[derive(Debug)]
pub struct DevicesGuard {
    _listener: Option<EventListener>,
}

impl DevicesGuard {
    pub fn new(on_change: impl Fn() + 'static) -> Self {
        let media = web_sys::window().and_then(|window| window.navigator().media_devices().ok());
        let listener = media.map(|media| EventListener::new(&media, "devicechange", move |_| on_change()));
        Self { _listener: listener }
    }
}
