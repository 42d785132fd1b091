//! A playing video: reports each new frame, and hands it out as a bitmap.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_events::EventListener;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::camera::{Camera, OpenCamera};
use super::error::describe;
use super::frame_watcher::FrameWatcher;
use super::media::{CameraChoice, PickedFile, StreamHandle, VideoHandle};
use super::taint;
use super::tracks::{self, Pictures, TracksGuard};
use crate::clock::Captured;
use crate::faults::{Silence, SourceFault};

/// A video that shows nothing by then never will.
const FIRST_FRAME_MS: u32 = 10_000;
/// Longer side of the picture that is handed out, pixels: as much as a screen shows.
const DISPLAY_SIDE: u32 = 1_280;

/// Where the video comes from, and so what is released when it is dropped.
#[derive(Debug)]
enum Origin {
    /// Released by its own drop.
    Camera(Camera),
    /// An object URL of a picked file.
    File(String),
    Address,
    Stream,
    /// The embedder's element.
    Foreign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VideoEnd {
    /// Played to its end.
    Finished,
    /// The camera or stream is gone.
    Lost,
    /// It cannot be played any further.
    Broken,
}

#[derive(Debug)]
pub(crate) struct VideoSource {
    video: web_sys::HtmlVideoElement,
    origin: Origin,
    watcher: RefCell<Option<FrameWatcher>>,
    listeners: RefCell<Vec<EventListener>>,
    tracks: RefCell<Option<TracksGuard>>,
}

impl Drop for VideoSource {
    fn drop(&mut self) {
        self.listeners.borrow_mut().clear();
        self.tracks.borrow_mut().take();
        self.watcher.borrow_mut().take();
        if let Origin::Foreign = self.origin {
            return;
        }
        // A pause cannot fail; an element without a source releases its decoder.
        let _ = self.video.pause();
        self.video.set_src_object(None);
        if let Origin::File(url) = &self.origin {
            // Fails only for what is no URL.
            let _ = web_sys::Url::revoke_object_url(url);
        }
        if let Origin::File(_) | Origin::Address = self.origin {
            let _ = self.video.remove_attribute("src");
            self.video.load();
        }
    }
}

impl VideoSource {
    pub(crate) async fn open_camera(choice: &CameraChoice) -> Result<Self, SourceFault> {
        let camera = Camera::open(choice).await?;
        let video = element()?;
        video.set_src_object(Some(&camera.stream));
        let source = Self::new(video, Origin::Camera(camera));
        source.begin(SourceFault::Busy).await?;
        Ok(source)
    }

    pub(crate) async fn stream(stream: &StreamHandle) -> Result<Self, SourceFault> {
        let video = element()?;
        video.set_src_object(Some(&stream.0));
        let source = Self::new(video, Origin::Stream);
        source.begin(SourceFault::VideoWithoutFrames).await?;
        Ok(source)
    }

    pub(crate) async fn file(file: &PickedFile) -> Result<Self, SourceFault> {
        let video = element()?;
        let url =
            web_sys::Url::create_object_url_with_blob(&file.0).map_err(|_| SourceFault::UnreadableVideo)?;
        video.set_src(&url);
        let source = Self::new(video, Origin::File(url));
        source.begin(SourceFault::VideoWithoutFrames).await?;
        Ok(source)
    }

    pub(crate) async fn demo(url: &str) -> Result<Self, SourceFault> {
        if url.is_empty() {
            return Err(SourceFault::NoDemo);
        }
        let video = element()?;
        video.set_loop(true);
        video.set_src(url);
        let source = Self::new(video, Origin::Address);
        source.begin(SourceFault::DemoUnplayable).await.map_err(|_| SourceFault::DemoUnplayable)?;
        Ok(source)
    }

    pub(crate) async fn foreign(video: &VideoHandle) -> Result<Self, SourceFault> {
        let source = Self::new(video.0.clone(), Origin::Foreign);
        source.first_frame(SourceFault::VideoWithoutFrames).await?;
        if source.is_tainted() { Err(SourceFault::CrossOrigin) } else { Ok(source) }
    }

    /// Whether the browser withholds its pictures from the page. An embedder's element may become tainted when it is given
    /// another address.
    pub(crate) fn is_tainted(&self) -> bool {
        matches!(self.origin, Origin::Foreign) && taint::is_tainted(&self.video)
    }

    fn new(video: web_sys::HtmlVideoElement, origin: Origin) -> Self {
        Self {
            video,
            origin,
            watcher: RefCell::new(None),
            listeners: RefCell::new(Vec::new()),
            tracks: RefCell::new(None),
        }
    }

    /// Of a camera: the open device, and which way it faces if the browser knows.
    pub(crate) fn camera(&self) -> Option<OpenCamera> {
        match &self.origin {
            Origin::Camera(camera) => Some(camera.device()),
            _ => None,
        }
    }

    /// Why it cannot be played any further.
    pub(crate) fn broken(&self) -> SourceFault {
        match self.origin {
            Origin::Address => SourceFault::DemoUnplayable,
            _ => SourceFault::UnreadableVideo,
        }
    }

    async fn begin(&self, silent: SourceFault) -> Result<(), SourceFault> {
        self.play();
        self.first_frame(silent).await
    }

    /// Waits for the first picture, an error, or the timeout.
    async fn first_frame(&self, silent: SourceFault) -> Result<(), SourceFault> {
        /// `HTMLMediaElement.HAVE_CURRENT_DATA`.
        const HAVE_CURRENT_DATA: u16 = 2;
        if self.video.ready_state() < HAVE_CURRENT_DATA {
            let (tell, told) = oneshot::channel();
            let tell = Rc::new(Cell::new(Some(tell)));
            let listen = |name: &'static str, good: bool| {
                let tell = tell.clone();
                EventListener::new(&self.video, name, move |_| {
                    if let Some(tell) = tell.take() {
                        // The receiver may have timed out.
                        let _ = tell.send(good);
                    }
                })
            };
            let _listeners = [listen("loadeddata", true), listen("error", false)];
            if self.video.error().is_some() {
                return Err(SourceFault::UnreadableVideo);
            }
            match select(told, TimeoutFuture::new(FIRST_FRAME_MS)).await {
                Either::Left((Ok(true), _)) => {}
                Either::Left(_) => return Err(SourceFault::UnreadableVideo),
                Either::Right(_) => return Err(silent),
            }
        }
        let (width, height) = self.size();
        if width == 0 || height == 0 { Err(SourceFault::VideoWithoutFrames) } else { Ok(()) }
    }

    /// Size of the picture, pixels. It changes when a phone is turned.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.video.video_width(), self.video.video_height())
    }

    pub(crate) fn pause(&self) {
        if !matches!(self.origin, Origin::Foreign) {
            // Cannot fail.
            let _ = self.video.pause();
        }
    }

    pub(crate) fn play(&self) {
        if !matches!(self.origin, Origin::Foreign)
            && let Ok(promise) = self.video.play()
        {
            // A refusal shows as a missing first frame; the promise must be handled all the same.
            wasm_bindgen_futures::spawn_local(async move {
                let _ = JsFuture::from(promise).await;
            });
        }
    }

    /// Calls back at each new frame with its capture time.
    pub(crate) fn on_frame(&self, on: impl Fn(Captured) + 'static) {
        *self.watcher.borrow_mut() = Some(FrameWatcher::new(&self.video, on));
    }

    /// Calls back when no more frames will come.
    pub(crate) fn on_end(&self, on: impl Fn(VideoEnd) + Clone + 'static) {
        let mut listeners = self.listeners.borrow_mut();
        let (video, ended) = (self.video.clone(), on.clone());
        listeners.push(EventListener::new(&self.video, "ended", move |_| match tracks::pictures(&video) {
            Pictures::OfFile => ended(VideoEnd::Finished),
            // An element whose stream has no live track of any kind fires this.
            Pictures::Ended | Pictures::Absent => ended(VideoEnd::Lost),
            // It has got another stream in the meantime.
            Pictures::Live | Pictures::Muted => {}
        }));
        let broken = on.clone();
        listeners.push(EventListener::new(&self.video, "error", move |_| broken(VideoEnd::Broken)));
        *self.tracks.borrow_mut() = Some(TracksGuard::new(&self.video, move |pictures| {
            if pictures == Pictures::Ended {
                on(VideoEnd::Lost);
            }
        }));
    }

    /// Calls back when the embedder's element is paused (`true`) or resumed, and once right away.
    pub(crate) fn on_element_paused(&self, on: impl Fn(bool) + Clone + 'static) {
        if !matches!(self.origin, Origin::Foreign) {
            return;
        }
        on(self.video.paused());
        let mut listeners = self.listeners.borrow_mut();
        for name in ["pause", "play", "emptied"] {
            let (on, video) = (on.clone(), self.video.clone());
            listeners.push(EventListener::new(&self.video, name, move |_| on(video.paused())));
        }
    }

    /// What can be expected of it now, even if no event reported a change.
    pub(crate) fn pictures(&self) -> Pictures {
        match &*self.tracks.borrow() {
            Some(tracks) => tracks.look(),
            None => tracks::pictures(&self.video),
        }
    }

    /// What to report when it delivers no pictures.
    pub(crate) fn silence(&self) -> Silence {
        match (&self.origin, tracks::pictures(&self.video)) {
            (Origin::Camera(_), _) => Silence::Camera,
            (Origin::File(_) | Origin::Address, _) | (Origin::Foreign, Pictures::OfFile) => Silence::Video,
            (Origin::Stream | Origin::Foreign, _) => Silence::Stream,
        }
    }

    /// Whether it plays a file that is ours to pause, so that nothing of it need be missed.
    pub(crate) fn can_wait(&self) -> bool {
        matches!(self.origin, Origin::File(_) | Origin::Address)
    }

    /// Position in the file of the frame that was last reported, milliseconds; `None` for cameras and streams.
    pub(crate) fn position_ms(&self) -> Option<u64> {
        match self.origin {
            Origin::Camera(_) | Origin::Stream => return None,
            Origin::Foreign if tracks::stream(&self.video).is_some() => return None,
            Origin::File(_) | Origin::Address | Origin::Foreign => {}
        }
        let seconds = self.watcher.borrow().as_ref()?.position_seconds();
        (seconds.is_finite() && seconds >= 0.0).then(|| (seconds * 1_000.0).round() as u64)
    }

    /// The frame that shows now, in display size.
    pub(crate) fn grab(&self) -> impl Future<Output = Result<web_sys::ImageBitmap, String>> + 'static {
        let (width, height) = self.size();
        let options = web_sys::ImageBitmapOptions::new();
        if width.max(height) > DISPLAY_SIDE {
            let scale = f64::from(DISPLAY_SIDE) / f64::from(width.max(height));
            options.set_resize_width((f64::from(width) * scale).round().max(1.0) as u32);
            options.set_resize_height((f64::from(height) * scale).round().max(1.0) as u32);
        }
        let promise = web_sys::window().map(|window| {
            window.create_image_bitmap_with_html_video_element_and_image_bitmap_options(&self.video, &options)
        });
        async move {
            let promise = promise.ok_or("no window")?.map_err(|thrown| describe(&thrown))?;
            let bitmap = JsFuture::from(promise).await.map_err(|thrown| describe(&thrown))?;
            bitmap.dyn_into().map_err(|_| "no bitmap".to_owned())
        }
    }
}

fn element() -> Result<web_sys::HtmlVideoElement, SourceFault> {
    let other = |detail: &str| SourceFault::Other { detail: detail.to_owned() };
    let document =
        web_sys::window().and_then(|window| window.document()).ok_or_else(|| other("no document"))?;
    let video: web_sys::HtmlVideoElement = document
        .create_element("video")
        .ok()
        .and_then(|element| element.dyn_into().ok())
        .ok_or_else(|| other("no video element"))?;
    video.set_muted(true);
    // Without it a phone plays the video in full screen.
    let _ = video.set_attribute("playsinline", "");
    Ok(video)
}
