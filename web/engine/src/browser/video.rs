//! A playing video: reports each new frame, and hands it out as a bitmap.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use gloo_events::EventListener;

use super::camera::{Camera, OpenCamera};
use super::element::{self, DISPLAY_SIDE, Pictured, Standstill};
use super::frames::{Frames, Reading};
use super::media::{CameraChoice, PickedFile, StreamHandle, VideoHandle};
use super::taint;
use super::tracks::{self, Pictures, TracksGuard};
use super::worker::WorkerKit;
use crate::clock::Captured;
use crate::faults::{Silence, SourceFault};

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
    frames: RefCell<Option<Frames>>,
    standstill: Standstill,
    listeners: RefCell<Vec<EventListener>>,
    tracks: RefCell<Option<TracksGuard>>,
}

impl Drop for VideoSource {
    fn drop(&mut self) {
        self.listeners.borrow_mut().clear();
        self.tracks.borrow_mut().take();
        self.frames.borrow_mut().take();
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
        let video = element::new()?;
        video.set_src_object(Some(&camera.stream));
        let source = Self::new(video, Origin::Camera(camera));
        source.begin(SourceFault::Busy).await?;
        Ok(source)
    }

    pub(crate) async fn stream(stream: &StreamHandle) -> Result<Self, SourceFault> {
        let video = element::new()?;
        video.set_src_object(Some(&stream.0));
        let source = Self::new(video, Origin::Stream);
        source.begin(SourceFault::VideoWithoutFrames).await?;
        Ok(source)
    }

    pub(crate) async fn file(file: &PickedFile) -> Result<Self, SourceFault> {
        let video = element::new()?;
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
        let video = element::new()?;
        video.set_loop(true);
        video.set_src(url);
        let source = Self::new(video, Origin::Address);
        source.begin(SourceFault::DemoUnplayable).await.map_err(|_| SourceFault::DemoUnplayable)?;
        Ok(source)
    }

    pub(crate) async fn foreign(video: &VideoHandle) -> Result<Self, SourceFault> {
        let source = Self::new(video.0.clone(), Origin::Foreign);
        element::first_frame(&source.video, SourceFault::VideoWithoutFrames).await?;
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
            frames: RefCell::new(None),
            standstill: Standstill::default(),
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
        element::first_frame(&self.video, silent).await
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
        if !matches!(self.origin, Origin::Foreign) {
            element::play(&self.video);
        }
    }

    /// Calls back at each new frame with its capture time, which increases.
    pub(crate) fn on_frame(&self, on: impl Fn(Captured) + 'static) {
        *self.frames.borrow_mut() = Some(Frames::new(&self.video, on));
    }

    /// Reads frames through a worker of this kit until [`Self::end_reading`]: a hidden page gets none in any other way.
    /// False if no worker can be started.
    pub(crate) fn read(&self, kit: &Rc<WorkerKit>, on: impl Fn(Reading) + 'static) -> bool {
        self.frames.borrow().as_ref().is_some_and(|frames| frames.read(kit, on))
    }

    pub(crate) fn end_reading(&self) {
        if let Some(frames) = &*self.frames.borrow() {
            frames.end_reading();
        }
    }

    /// Makes good what the browser has forgotten. Called a few times per second while it should be playing.
    pub(crate) fn keep_going(&self) {
        if self.can_wait() {
            self.standstill.look(&self.video);
        }
        if let Some(frames) = &*self.frames.borrow() {
            frames.look();
        }
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
        let seconds = self.frames.borrow().as_ref()?.position_seconds();
        (seconds.is_finite() && seconds >= 0.0).then(|| (seconds * 1_000.0).round() as u64)
    }

    /// The newest frame, in display size.
    pub(crate) fn grab(&self) -> impl Future<Output = Result<web_sys::ImageBitmap, String>> + use<> {
        let taken = self.frames.borrow().as_ref().and_then(|frames| frames.take(DISPLAY_SIDE));
        let pictured = taken.is_none().then(|| Pictured::now(&self.video));
        let video = self.video.clone();
        async move {
            if let Some(taken) = taken
                && let Some(bitmap) = taken.await
            {
                return Ok(bitmap);
            }
            // The reader has ended meanwhile, as the page is visible again.
            pictured.unwrap_or_else(|| Pictured::now(&video)).bitmap().await
        }
    }
}
