//! The frames of a playing video in one order, however they are found: by the page while it is visible, through a
//! worker while it is hidden.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

use web_sys::{HtmlVideoElement, ImageBitmap};

use super::clock::captured_now;
use super::element::HAVE_CURRENT_DATA;
use super::frame_reader::{FrameReader, ReaderEvent};
use super::frame_watcher::FrameWatcher;
use super::tracks::{self, Pictures};
use super::worker::WorkerKit;
use crate::clock::Captured;

/// Positions closer than this are of one picture, seconds. No camera or film changes more often.
const SAME_PICTURE: f64 = 0.015;

/// What happens to the reading of a hidden page's frames, besides the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Frames may come from here on.
    Begun,
    /// Time has passed: comes a few times per second, however slowly the page's own timers run.
    Beat,
    /// This browser does not let a worker read.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Page,
    Reader,
}

/// The frame that was told last.
#[derive(Clone, Copy, Debug)]
struct Told {
    captured: Captured,
    /// Seconds of the media.
    position: f64,
    way: Way,
}

#[derive(Debug)]
pub(crate) struct Frames {
    feed: Rc<Feed>,
    watcher: FrameWatcher,
}

struct Feed {
    video: HtmlVideoElement,
    on: Box<dyn Fn(Captured)>,
    last: Cell<Option<Told>>,
    reader: RefCell<Option<FrameReader>>,
    /// The page has to look at every tick of the reader.
    looks: Cell<bool>,
    /// Position at the last look.
    looked_at: Cell<f64>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Feed({:?})", self.last.get())
    }
}

impl Frames {
    /// Calls back at each new frame with its capture time, which increases.
    pub(crate) fn new(video: &HtmlVideoElement, on: impl Fn(Captured) + 'static) -> Self {
        let feed = Rc::new(Feed {
            video: video.clone(),
            on: Box::new(on),
            last: Cell::new(None),
            reader: RefCell::new(None),
            looks: Cell::new(false),
            looked_at: Cell::new(f64::NAN),
        });
        let weak = Rc::downgrade(&feed);
        let watcher = FrameWatcher::new(video, move |captured, position| {
            // A browser may call back now and then in a hidden page, too.
            if let Some(feed) = weak.upgrade().filter(|feed| feed.reader.borrow().is_none()) {
                feed.tell(captured, position, Way::Page);
            }
        });
        Self { feed, watcher }
    }

    /// Of the frame that was last reported, seconds of the media; not a number before the first.
    pub(crate) fn position_seconds(&self) -> f64 {
        self.feed.last.get().map_or(f64::NAN, |told| told.position)
    }

    /// Finds frames that the browser shows without calling back. Called a few times per second.
    pub(crate) fn look(&self) {
        if self.feed.reader.borrow().is_none() {
            self.watcher.look();
        }
    }

    /// Reads through a worker until [`Self::end_reading`]. False if none can be started.
    pub(crate) fn read(&self, kit: &Rc<WorkerKit>, on: impl Fn(Reading) + 'static) -> bool {
        self.feed.read(kit, Rc::new(on))
    }

    pub(crate) fn end_reading(&self) {
        let reader = self.feed.reader.take();
        drop(reader);
        self.watcher.rest();
    }

    /// Takes the newest frame from the reader, if it has one.
    pub(crate) fn take(&self, long_side: u32) -> Option<impl Future<Output = Option<ImageBitmap>> + use<>> {
        self.feed.reader.borrow().as_ref()?.take(long_side)
    }
}

impl Feed {
    fn read(self: &Rc<Self>, kit: &Rc<WorkerKit>, on: Rc<dyn Fn(Reading)>) -> bool {
        let (weak, again) = (Rc::downgrade(self), kit.clone());
        let reader = FrameReader::start(kit, tracks::live(&self.video), move |event| {
            if let Some(feed) = weak.upgrade() {
                feed.hear(event, &again, &on);
            }
        });
        let reader = reader.ok();
        let started = reader.is_some();
        let before = self.reader.replace(reader);
        drop(before);
        started
    }

    fn hear(self: &Rc<Self>, event: ReaderEvent, kit: &Rc<WorkerKit>, on: &Rc<dyn Fn(Reading)>) {
        match event {
            ReaderEvent::Begun { gets_frames } => {
                self.looks.set(!gets_frames);
                self.looked_at.set(self.video.current_time());
                on(Reading::Begun);
            }
            ReaderEvent::Arrived(captured) => self.tell(captured, self.video.current_time(), Way::Reader),
            ReaderEvent::Tick => {
                let track = tracks::live(&self.video);
                let outdated =
                    self.reader.borrow().as_ref().is_some_and(|reader| !reader.reads(track.as_ref()));
                if outdated {
                    // The embedder's element has got another stream, or its stream another track.
                    if !self.read(kit, on.clone()) {
                        return on(Reading::Failed);
                    }
                } else if self.looks.get() {
                    self.look();
                }
                on(Reading::Beat);
            }
            ReaderEvent::Failed => {
                let reader = self.reader.take();
                drop(reader);
                on(Reading::Failed);
            }
        }
    }

    fn look(&self) {
        let position = self.video.current_time();
        let moved = position != self.looked_at.replace(position);
        let shows = matches!(tracks::pictures(&self.video), Pictures::OfFile | Pictures::Live);
        // Where it seeks, as a loop does at its end, it still shows the picture from before.
        if moved && shows && !self.video.seeking() && self.video.ready_state() >= HAVE_CURRENT_DATA {
            self.tell(captured_now(), position, Way::Reader);
        }
    }

    fn tell(&self, captured: Captured, position: f64, way: Way) {
        if let Some(last) = self.last.get() {
            let switched = last.way != way;
            // Where the page and the reader take turns, both may come upon the same picture.
            if captured.steady <= last.captured.steady || (switched && is_same(last.position, position)) {
                return;
            }
        }
        self.last.set(Some(Told { captured, position, way }));
        (self.on)(captured);
    }
}

/// Whether two positions are of one picture: the page knows where the picture begins, the reader only where the media
/// stands.
fn is_same(last: f64, position: f64) -> bool {
    (position - last).abs() < SAME_PICTURE
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn a_picture_is_the_same_wherever_in_it_the_media_stands() {
        assert!(is_same(5.0, 5.01) && is_same(5.01, 5.0));
        assert!(!is_same(5.0, 5.033) && !is_same(9.98, 0.02), "the next, and the first of a loop");
        assert!(!is_same(f64::NAN, 1.0), "the first of all");
    }
}
