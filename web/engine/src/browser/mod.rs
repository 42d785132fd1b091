//! The only place that mentions `JsValue` or `web_sys`: thin wrappers that return Mien's types. A listener is a
//! guard that unsubscribes when dropped.

mod camera;
pub(crate) mod disk;
mod download;
pub(crate) mod fetch;
mod frame;
mod http;
mod media;
mod page;
pub(crate) mod picture;
pub(crate) mod policy;
pub(crate) mod socket;
mod taint;
pub(crate) mod trusted;
pub(crate) mod video;
pub(crate) mod worker;

pub use frame::FrameImage;
pub use media::{CameraDevice, PickedFile, StreamHandle, VideoHandle, devices};
pub(crate) use web_sys::ImageBitmap as Bitmap;

pub use page::{now_ms, page_origin, sockets_origin};

pub(crate) use http::{HttpAnswer, HttpFault, request};
pub(crate) use page::{
    BootScript, LeaveGuard, OnlineGuard, describe, is_hidden, is_other_origin, now_precise_ms, page_url,
    random,
};
