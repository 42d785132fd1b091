//! Only video tracks of an element's current stream count when they end or are muted.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen_test::wasm_bindgen_test;

use super::streams::{Filmed, dispatch, element, set_muted};
use crate::VideoHandle;
use crate::browser::tracks::Pictures;
use crate::browser::video::{VideoEnd, VideoSource};

/// The ends that it reported.
fn ends(source: &VideoSource) -> Rc<RefCell<Vec<VideoEnd>>> {
    let ends = Rc::new(RefCell::new(Vec::new()));
    let told = ends.clone();
    source.on_end(move |end| told.borrow_mut().push(end));
    ends
}

#[wasm_bindgen_test]
async fn sound_that_ends_or_falls_silent_is_no_end() {
    let filmed = Filmed::new();
    let source = VideoSource::stream(&filmed.handle()).await.unwrap();
    let ends = ends(&source);
    filmed.audio().stop();
    dispatch(&filmed.audio(), "ended");
    set_muted(&filmed.audio(), true);
    assert_eq!((ends.borrow().as_slice(), source.pictures()), (&[][..], Pictures::Live));
    filmed.stream.remove_track(&filmed.audio());
    set_muted(&filmed.video(), true);
    assert_eq!((ends.borrow().as_slice(), source.pictures()), (&[][..], Pictures::Muted));
    set_muted(&filmed.video(), false);
    assert_eq!(source.pictures(), Pictures::Live);
    filmed.video().stop();
    dispatch(&filmed.video(), "ended");
    assert_eq!((ends.borrow().as_slice(), source.pictures()), (&[VideoEnd::Lost][..], Pictures::Ended));
}

#[wasm_bindgen_test]
async fn a_stream_that_gets_another_track_goes_on_with_it() {
    let (first, second) = (Filmed::new(), Filmed::new());
    let source = VideoSource::stream(&first.handle()).await.unwrap();
    let ends = ends(&source);
    let (old, new) = (first.video(), second.video());
    first.stream.remove_track(&old);
    assert_eq!(source.pictures(), Pictures::Absent, "it may get another");
    first.stream.add_track(&new);
    assert_eq!(source.pictures(), Pictures::Live);
    old.stop();
    dispatch(&old, "ended");
    assert_eq!(ends.borrow().as_slice(), [], "it is not of the stream any more");
    new.stop();
    dispatch(&new, "ended");
    assert_eq!(ends.borrow().as_slice(), [VideoEnd::Lost], "nobody told that this one has come");
}

#[wasm_bindgen_test]
async fn only_the_stream_that_an_element_has_now_counts() {
    let (first, second) = (Filmed::new(), Filmed::new());
    let video = element(&first.stream);
    let source = VideoSource::foreign(&VideoHandle::from(video.clone())).await.unwrap();
    let ends = ends(&source);
    video.set_src_object(None);
    assert_eq!(source.pictures(), Pictures::Absent);
    video.set_src_object(Some(&second.stream));
    assert_eq!(source.pictures(), Pictures::Live);
    for track in [first.video(), first.audio()] {
        track.stop();
        dispatch(&track, "ended");
    }
    assert_eq!(ends.borrow().as_slice(), []);
    // A stop by the page fires no event; polling finds it.
    second.video().stop();
    assert_eq!((ends.borrow().as_slice(), source.pictures()), (&[][..], Pictures::Ended));
    dispatch(&second.video(), "ended");
    assert_eq!(ends.borrow().as_slice(), [VideoEnd::Lost]);
}
