//! What a hidden page reads through a worker, and what a visible one reads where the browser forgets it.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use js_sys::Function;
use mien_shared::SkipReason;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use super::films::{file, positions, set_hidden, skipped};
use super::pool::kit;
use super::runs::{Told, engine, engine_with};
use super::streams::{Filmed, element};
use crate::browser::PickedFile;
use crate::browser::frame_reader::{FrameReader, ReaderEvent};
use crate::{RunEvent, Silence, SourceChoice, SourceSlot, SourceState, VideoHandle};

/// A reader that has a frame at once. At every take two more come before it answers, and it hands over the newest but
/// `BEHIND`.
const READER: &str = r#"
let number = 0;
self.onmessage = async ({ data }) => {
  const message = JSON.parse(data.header);
  if (message.type === "read") { post({ type: "begun", gets_frames: true }); arrive(); }
  if (message.type === "take") {
    arrive();
    arrive();
    const bitmap = await createImageBitmap(new ImageData(2, 2));
    self.postMessage({ header: JSON.stringify({ type: "taken", number: number - BEHIND }), bitmap }, [bitmap]);
  }
};
function arrive() {
  post({ type: "arrived", number: ++number, at_ms: performance.timeOrigin + performance.now() });
}
function post(header) { self.postMessage({ header: JSON.stringify(header) }); }
"#;

/// An inference worker that finds nothing, and a reader that only ticks.
const TICKS: &str = r#"
self.onmessage = ({ data }) => {
  const message = JSON.parse(data.header);
  if (message.type === "load") post({ type: "ready" });
  if (message.type === "infer") post({ type: "scored", frame: message.frame, detections: [] }, data.bitmap);
  if (message.type === "read") {
    post({ type: "begun", gets_frames: false });
    setInterval(() => post({ type: "tick" }), message.look_ms);
  }
  if (message.type === "end") self.close();
};
function post(header, bitmap) {
  self.postMessage({ header: JSON.stringify(header), bitmap }, bitmap ? [bitmap] : []);
}
"#;

/// Frames that arrive after each of three takes.
async fn arrivals(behind: u32) -> Vec<usize> {
    let arrived = Rc::new(RefCell::new(0));
    let heard = arrived.clone();
    let reader =
        FrameReader::start(&kit(&READER.replace("BEHIND", &behind.to_string())), None, move |event| {
            if let ReaderEvent::Arrived(_) = event {
                *heard.borrow_mut() += 1;
            }
        });
    let reader = reader.unwrap();
    assert!(reader.take(64).is_none(), "nothing has arrived");
    for _ in 0..500 {
        if *arrived.borrow() > 0 {
            break;
        }
        TimeoutFuture::new(10).await;
    }
    let mut told = Vec::new();
    for _ in 0..3 {
        let Some(taken) = reader.take(64) else { break };
        assert!(reader.take(64).is_none(), "one at a time");
        taken.await.unwrap().close();
        TimeoutFuture::new(20).await;
        told.push(*arrived.borrow());
    }
    told
}

#[wasm_bindgen_test]
async fn a_frame_that_is_taken_is_told_of_once() {
    assert_eq!(arrivals(0).await, [1], "what came while a frame was taken is the frame that was taken");
    assert_eq!(arrivals(1).await, [2, 3, 4], "a newer one is told of afterwards");
}

#[wasm_bindgen_test]
async fn a_file_goes_on_in_a_hidden_page_where_a_worker_ticks() {
    let engine = engine_with(TICKS, &SourceSlot::default()).await;
    let told = Told::default();
    let run = engine.start(SourceChoice::VideoFile(PickedFile::from(file())), told.on()).await.unwrap();
    told.more_frames(5).await;
    set_hidden(true);
    told.more_frames(20).await;
    set_hidden(false);
    told.more_frames(5).await;
    drop(run);
    let frames = told.analysed();
    let positions = positions(&frames);
    assert!(positions.is_sorted_by(|before, after| before < after), "a picture twice: {positions:?}");
    let longest = positions.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest < 500, "{longest} ms of the film are missing: {positions:?}");
    assert!(frames.windows(2).all(|pair| pair[0].captured.steady < pair[1].captured.steady));
    let hidden = skipped(&frames, SkipReason::Hidden);
    assert!(hidden < 1_000, "{hidden} ms");
}

#[wasm_bindgen_test]
async fn a_page_that_gets_nothing_while_hidden_says_so_and_takes_it_back() {
    let engine = engine(&SourceSlot::default()).await;
    let told = Told::default();
    let filmed = Filmed::new();
    let _run = engine.start(SourceChoice::Stream(filmed.handle()), told.on()).await.unwrap();
    told.more_frames(1).await;
    // The canvas is still, and no worker reads.
    filmed.stop();
    TimeoutFuture::new(100).await;
    set_hidden(true);
    let silent = |silence| format!("{:?}", RunEvent::SourceState(SourceState::Silent(silence)));
    told.until(|told| told.news() == [silent(Silence::Hidden)]).await;
    set_hidden(false);
    filmed.go_on();
    told.until(|told| told.news().len() > 1).await;
    assert_eq!(told.news()[1..], [format!("{:?}", RunEvent::SourceState(SourceState::Playing))]);
}

#[wasm_bindgen_test]
async fn a_browser_that_forgets_to_call_back_is_asked_again_and_its_video_read_meanwhile() {
    let engine = engine(&SourceSlot::default()).await;
    let told = Told::default();
    let filmed = Filmed::new();
    let video = element(&filmed.stream);
    let forget = Function::new_with_args(
        "video",
        "const ask = video.requestVideoFrameCallback;
         video.requestVideoFrameCallback = () => 1;
         video.remembers = () => { video.requestVideoFrameCallback = ask; };",
    );
    forget.call1(&JsValue::NULL, &video).unwrap();
    let _run = engine.start(SourceChoice::Video(VideoHandle::from(video.clone())), told.on()).await.unwrap();
    told.more_frames(4).await;
    let remembers = js_sys::Reflect::get(&video, &"remembers".into()).unwrap();
    remembers.unchecked_into::<Function>().call0(&JsValue::NULL).unwrap();
    // One look more asks in earnest, and from there on every frame is told.
    told.more_frames(2).await;
    let before = told.analysed().len();
    TimeoutFuture::new(1_000).await;
    let frames = told.analysed().len() - before;
    assert!(frames >= 8, "{frames} in a second");
}

#[wasm_bindgen_test]
async fn a_file_that_the_browser_stops_is_started_again() {
    let engine = engine(&SourceSlot::default()).await;
    let told = Told::default();
    let find = Function::new_no_args(
        "const ask = HTMLVideoElement.prototype.requestVideoFrameCallback;
         HTMLVideoElement.prototype.requestVideoFrameCallback = function (call) {
             globalThis.watched = this;
             return ask.call(this, call);
         };
         return () => { HTMLVideoElement.prototype.requestVideoFrameCallback = ask; };",
    );
    let restore: Function = find.call0(&JsValue::NULL).unwrap().unchecked_into();
    let _run = engine.start(SourceChoice::VideoFile(PickedFile::from(file())), told.on()).await.unwrap();
    told.more_frames(3).await;
    Function::new_no_args("watched.pause()").call0(&JsValue::NULL).unwrap();
    TimeoutFuture::new(500).await;
    told.more_frames(3).await;
    restore.call0(&JsValue::NULL).unwrap();
}
