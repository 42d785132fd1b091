//! The only place that mentions `JsValue` or `web_sys`: thin wrappers that return Mien's types. A listener is a
//! guard that unsubscribes when dropped.

mod frame;
mod http;
mod media;
mod page;

pub use frame::FrameImage;
pub use media::{CameraDevice, PickedFile, StreamHandle, VideoHandle, devices};
pub use page::{now_ms, page_origin};

pub(crate) use http::{HttpAnswer, HttpFault, request};
pub(crate) use page::{BootScript, describe};
