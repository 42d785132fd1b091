//! The only place that mentions `JsValue` or `web_sys`: thin wrappers that return Mien's types. A listener is a
//! guard that unsubscribes when dropped.

mod camera;
mod clock;
mod download;
mod element;
mod error;
pub(crate) mod fetch;
mod frame;
pub(crate) mod frame_reader;
mod frame_watcher;
pub(crate) mod frames;
mod http;
pub(crate) mod indexed_db;
mod lifecycle;
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
pub(crate) mod worker;

pub use clock::{steady_now, wall_now};
pub use frame::FrameImage;
pub use indexed_db::DatabaseFault;
pub use media::{
    CameraChoice, CameraDevice, DevicesGuard, Facing, PickedFile, StreamHandle, VideoHandle, devices,
};
pub(crate) use web_sys::ImageBitmap as Bitmap;

pub use page::{page_base, sockets_base};
pub use version::page_is_outdated;

pub(crate) use clock::{captured_now, now_precise_ms};
pub(crate) use http::{HttpAnswer, HttpFault, request};
pub(crate) use lifecycle::{LeaveGuard, OnlineGuard, VisibilityGuard, is_hidden};
pub(crate) use page::{BootScript, is_other_origin, page_url, random};
pub(crate) use reach::{Reach, reach};
