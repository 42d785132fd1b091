//! Files that are played: each frame's position, and that no frame is missed.

use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use super::runs::{Told, engine};
use super::streams::Filmed;
use crate::browser::PickedFile;
use crate::{AnalysedFrame, SourceChoice, SourceSlot, VideoHandle};
use mien_shared::SkipReason;

/// Ten seconds of 25 frames each.
const FILM: &[u8] = include_bytes!("../../../../tests/fixtures/film.webm");

pub(super) fn file() -> web_sys::File {
    let options = web_sys::FilePropertyBag::new();
    options.set_type("video/webm");
    let parts = Array::of1(&Uint8Array::from(FILM));
    web_sys::File::new_with_u8_array_sequence_and_options(&parts, "film.webm", &options).unwrap()
}

pub(super) fn positions(frames: &[AnalysedFrame]) -> Vec<u64> {
    frames.iter().map(|frame| frame.media_ms.unwrap()).collect()
}

pub(super) fn skipped(frames: &[AnalysedFrame], reason: SkipReason) -> i64 {
    let parts = frames.iter().flat_map(|frame| &frame.skipped);
    parts.filter(|part| part.reason == reason).map(|part| part.ms).sum()
}

/// Changes the document's visibility and fires the event for it.
pub(super) fn set_hidden(hidden: bool) {
    let set = Function::new_with_args(
        "hidden",
        "if (hidden) Object.defineProperty(document, 'hidden', { value: true, configurable: true });
         else delete document.hidden;
         document.dispatchEvent(new Event('visibilitychange'));",
    );
    set.call1(&JsValue::NULL, &hidden.into()).unwrap();
}

#[wasm_bindgen_test]
async fn a_file_s_frames_tell_their_position_and_a_stream_s_have_none() {
    let engine = engine(&SourceSlot::default()).await;
    let told = Told::default();
    let run = engine.start(SourceChoice::VideoFile(PickedFile::from(file())), told.on()).await.unwrap();
    told.more_frames(5).await;
    run.pause();
    let before = told.analysed().len();
    TimeoutFuture::new(1_000).await;
    assert_eq!(told.analysed().len(), before, "it is paused");
    run.resume();
    told.more_frames(5).await;
    drop(run);
    let frames = told.analysed();
    let positions = positions(&frames);
    assert!(positions[0] < 500 && positions.is_sorted(), "{positions:?}");
    let moved = positions[before] - positions[before - 1];
    let stood = frames[before].captured.at.0 - frames[before - 1].captured.at.0;
    assert!(moved < 500 && stood >= 1_000, "{moved} ms of the film in {stood} ms");
    let paused = skipped(&frames[before..], SkipReason::Paused);
    assert!(paused >= 1_000 && paused.unsigned_abs() <= stood, "{paused} of {stood} ms");

    let told = Told::default();
    let filmed = Filmed::new();
    let stream = SourceChoice::Stream(filmed.handle());
    let _run = engine.start(stream, told.on()).await.unwrap();
    told.more_frames(2).await;
    assert!(told.analysed().iter().all(|frame| frame.media_ms.is_none()));
}

#[wasm_bindgen_test]
async fn an_element_s_file_tells_its_position_also_when_it_begins_anew() {
    let engine = engine(&SourceSlot::default()).await;
    let told = Told::default();
    let document = web_sys::window().unwrap().document().unwrap();
    let video: web_sys::HtmlVideoElement = document.create_element("video").unwrap().unchecked_into();
    let url = web_sys::Url::create_object_url_with_blob(&file()).unwrap();
    video.set_muted(true);
    video.set_loop(true);
    video.set_src(&url);
    video.set_current_time(9.5);
    let _playing = video.play().unwrap();
    let _run = engine.start(SourceChoice::Video(VideoHandle::from(video.clone())), told.on()).await.unwrap();
    told.until(|told| positions(&told.analysed()).windows(2).any(|pair| pair[1] < pair[0])).await;
    let positions = positions(&told.analysed());
    assert!((9_400..10_000).contains(&positions[0]), "{positions:?}");
    assert!(*positions.last().unwrap() < 1_000, "{positions:?}");

    // A pause by the embedder counts as a pause.
    video.pause().unwrap();
    TimeoutFuture::new(800).await;
    let before = told.analysed().len();
    let _playing = video.play().unwrap();
    told.more_frames(2).await;
    let paused = skipped(&told.analysed()[before..], SkipReason::Paused);
    assert!(paused >= 700, "{paused} ms");
    video.pause().unwrap();
    web_sys::Url::revoke_object_url(&url).unwrap();
}

#[wasm_bindgen_test]
async fn a_file_waits_while_nobody_sees_the_page_and_a_pause_outlasts_that() {
    let engine = engine(&SourceSlot::default()).await;
    let told = Told::default();
    let run = engine.start(SourceChoice::VideoFile(PickedFile::from(file())), told.on()).await.unwrap();
    told.more_frames(5).await;
    set_hidden(true);
    TimeoutFuture::new(1_000).await;
    let before = told.analysed().len();
    set_hidden(false);
    told.more_frames(3).await;
    run.pause();
    set_hidden(true);
    set_hidden(false);
    let paused = told.analysed().len();
    TimeoutFuture::new(500).await;
    assert_eq!(told.analysed().len(), paused, "it is still paused");
    run.resume();
    told.more_frames(2).await;
    let frames = told.analysed();
    let positions = positions(&frames);
    let longest = positions.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest < 500, "{longest} ms of the film are missing: {positions:?}");
    let hidden = skipped(&frames[before..], SkipReason::Hidden);
    assert!(hidden >= 900, "{hidden} ms");
}
