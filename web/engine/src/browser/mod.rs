//! The only place that mentions `JsValue` or `web_sys`: thin wrappers that return Mien's types. A listener is a
//! guard that unsubscribes when dropped.

mod camera;
mod download;
pub(crate) mod fetch;
mod frame;
mod http;
mod media;
mod page;
pub(crate) mod picture;
pub(crate) mod policy;
mod reach;
pub(crate) mod socket;
mod taint;
pub(crate) mod tracks;
pub(crate) mod trusted;
mod version;
pub(crate) mod video;
mod visibility;
pub(crate) mod worker;

pub use frame::FrameImage;
pub use media::{CameraDevice, DevicesGuard, PickedFile, StreamHandle, VideoHandle, devices};
pub(crate) use web_sys::ImageBitmap as Bitmap;

pub use page::{page_base, sockets_base, steady_now, wall_now};
pub use version::page_is_outdated;

pub(crate) use http::{HttpAnswer, HttpFault, request};
pub(crate) use page::{
    BootScript, LeaveGuard, OnlineGuard, captured_now, describe, is_hidden, is_other_origin, now_precise_ms,
    page_url, random, steady,
};
pub(crate) use reach::reach;
pub(crate) use visibility::VisibilityGuard;
