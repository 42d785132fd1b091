//! A video element: made, waited for, pictured, and kept playing.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_events::EventListener;
use gloo_timers::future::TimeoutFuture;
use js_sys::Promise;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlVideoElement;

use super::clock::steady_now;
use super::error::describe;
use crate::clock::Steady;
use crate::faults::SourceFault;

/// A video that shows nothing by then never will.
const FIRST_FRAME_MS: u32 = 10_000;
/// Longer side of the picture that is handed out, pixels: as much as a screen shows.
pub(super) const DISPLAY_SIDE: u32 = 1_280;
/// `HTMLMediaElement.HAVE_CURRENT_DATA`.
pub(super) const HAVE_CURRENT_DATA: u16 = 2;

/// Without sound and outside the document.
pub(super) fn new() -> Result<HtmlVideoElement, SourceFault> {
    let other = |detail: &str| SourceFault::Other { detail: detail.to_owned() };
    let document =
        web_sys::window().and_then(|window| window.document()).ok_or_else(|| other("no document"))?;
    let video: HtmlVideoElement = document
        .create_element("video")
        .ok()
        .and_then(|element| element.dyn_into().ok())
        .ok_or_else(|| other("no video element"))?;
    video.set_muted(true);
    // Without it a phone plays the video in full screen.
    let _ = video.set_attribute("playsinline", "");
    Ok(video)
}

pub(super) fn play(video: &HtmlVideoElement) {
    if let Ok(promise) = video.play() {
        // A refusal shows as a missing frame; the promise must be handled all the same.
        wasm_bindgen_futures::spawn_local(async move {
            let _ = JsFuture::from(promise).await;
        });
    }
}

/// Waits for the first picture, an error, or the timeout, which is reported as `silent`.
pub(super) async fn first_frame(video: &HtmlVideoElement, silent: SourceFault) -> Result<(), SourceFault> {
    if video.ready_state() < HAVE_CURRENT_DATA {
        let (tell, told) = oneshot::channel();
        let tell = Rc::new(Cell::new(Some(tell)));
        let listen = |name: &'static str, good: bool| {
            let tell = tell.clone();
            EventListener::new(video, name, move |_| {
                if let Some(tell) = tell.take() {
                    // The receiver may have timed out.
                    let _ = tell.send(good);
                }
            })
        };
        let _listeners = [listen("loadeddata", true), listen("error", false)];
        if video.error().is_some() {
            return Err(SourceFault::UnreadableVideo);
        }
        match select(told, TimeoutFuture::new(FIRST_FRAME_MS)).await {
            Either::Left((Ok(true), _)) => {}
            Either::Left(_) => return Err(SourceFault::UnreadableVideo),
            Either::Right(_) => return Err(silent),
        }
    }
    let (width, height) = (video.video_width(), video.video_height());
    if width == 0 || height == 0 { Err(SourceFault::VideoWithoutFrames) } else { Ok(()) }
}

/// The frame that shows now, in display size.
#[derive(Debug)]
pub(super) struct Pictured(Result<Promise, String>);

impl Pictured {
    pub(super) fn now(video: &HtmlVideoElement) -> Self {
        let (width, height) = (video.video_width(), video.video_height());
        let options = web_sys::ImageBitmapOptions::new();
        if width.max(height) > DISPLAY_SIDE {
            let scale = f64::from(DISPLAY_SIDE) / f64::from(width.max(height));
            options.set_resize_width((f64::from(width) * scale).round().max(1.0) as u32);
            options.set_resize_height((f64::from(height) * scale).round().max(1.0) as u32);
        }
        let promise = web_sys::window().map(|window| {
            window.create_image_bitmap_with_html_video_element_and_image_bitmap_options(video, &options)
        });
        Self(
            promise
                .ok_or_else(|| "no window".to_owned())
                .and_then(|made| made.map_err(|thrown| describe(&thrown))),
        )
    }

    pub(super) async fn bitmap(self) -> Result<web_sys::ImageBitmap, String> {
        let bitmap = JsFuture::from(self.0?).await.map_err(|thrown| describe(&thrown))?;
        bitmap.dyn_into().map_err(|_| "no bitmap".to_owned())
    }
}

/// Notices that a clip of ours stands still although nobody has paused it, and restarts it.
#[derive(Debug, Default)]
pub(super) struct Standstill {
    position: Cell<f64>,
    /// Since when it has been there, and what was done about it.
    since: Cell<Steady>,
    tried: Cell<Tried>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tried {
    #[default]
    Nothing,
    Play,
}

impl Standstill {
    /// Called a few times per second while the clip should be playing.
    pub(super) fn look(&self, video: &HtmlVideoElement) {
        /// Longer than a busy machine takes to decode a picture, or a loop to begin anew.
        const PATIENCE: Duration = Duration::from_secs(2);
        let (now, position) = (steady_now(), video.current_time());
        if position != self.position.replace(position) || video.ended() {
            self.since.set(now);
            self.tried.set(Tried::Nothing);
        }
        if now.since(self.since.get()) < PATIENCE {
            return;
        }
        self.since.set(now);
        match self.tried.get() {
            Tried::Nothing => self.tried.set(Tried::Play),
            Tried::Play => {
                self.tried.set(Tried::Nothing);
                // Makes the decoder begin anew; a loop may have got stuck at its end.
                video.set_current_time(if video.loop_() { 0.0 } else { position });
            }
        }
        play(video);
    }
}
