//! Runs of an engine whose workers find nothing: which source runs, and what a run reports.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::FutureExt;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use super::camera::QUESTION;
use super::pool::{WORKS, kit};
use super::streams::{Filmed, dispatch, element, set_muted};
use crate::{
    AnalysedFrame, Assets, CameraChoice, EndReason, Engine, EngineConfig, Run, RunEvent, RunFault, Silence,
    SourceChoice, SourceFault, SourceSlot, SourceState, VideoHandle,
};

pub(super) async fn engine(slot: &SourceSlot) -> Engine {
    engine_with(&WORKS.replace("TROUBLE", ""), slot).await
}

/// With workers that run this script.
pub(super) async fn engine_with(script: &str, slot: &SourceSlot) -> Engine {
    let config = EngineConfig { slot: slot.clone(), ..EngineConfig::new(Assets::under("/")) };
    Engine::over(config, kit(script), 1).await.unwrap()
}

/// What a run has reported.
#[derive(Clone, Default)]
pub(super) struct Told(Rc<RefCell<Vec<RunEvent>>>);

impl Told {
    pub(super) fn on(&self) -> impl Fn(RunEvent) + 'static + use<> {
        let told = self.0.clone();
        move |event| told.borrow_mut().push(event)
    }

    pub(super) fn analysed(&self) -> Vec<AnalysedFrame> {
        let frame = |event: &RunEvent| match event {
            RunEvent::Frame(frame) => Some(frame.clone()),
            _ => None,
        };
        self.0.borrow().iter().filter_map(frame).collect()
    }

    fn frames(&self) -> usize {
        self.analysed().len()
    }

    /// Everything except frames and figures.
    pub(super) fn news(&self) -> Vec<String> {
        let told = self.0.borrow();
        let news = told.iter().filter(|event| !matches!(event, RunEvent::Frame(_) | RunEvent::Stats(_)));
        news.map(|event| format!("{event:?}")).collect()
    }

    /// Waits for this many more frames.
    pub(super) async fn more_frames(&self, count: usize) {
        let wanted = self.frames() + count;
        self.until(|told| told.frames() >= wanted).await;
    }

    pub(super) async fn until(&self, done: impl Fn(&Self) -> bool) {
        for _ in 0..1_000 {
            if done(self) {
                return;
            }
            TimeoutFuture::new(10).await;
        }
        let news = self.news();
        panic!("not in time: {} frames, {:?}", self.frames(), &news[..news.len().min(4)]);
    }
}

fn stream(filmed: &Filmed) -> SourceChoice {
    SourceChoice::Stream(filmed.handle())
}

fn news(event: &RunEvent) -> String {
    format!("{event:?}")
}

#[wasm_bindgen_test]
async fn a_source_that_opens_late_does_not_end_the_newer_one() {
    let engine = engine(&SourceSlot::default()).await;
    let question = Function::new_no_args(QUESTION).call0(&JsValue::NULL).unwrap();
    let (camera, file) = (Told::default(), Told::default());
    let choice = SourceChoice::Camera(CameraChoice::default());
    let mut opening = Box::pin(engine.start(choice, camera.on()));
    assert!(opening.as_mut().now_or_never().is_none(), "the person is being asked");

    let filmed = Filmed::new();
    let _run = engine.start(stream(&filmed), file.on()).await.unwrap();
    file.more_frames(2).await;
    let allow: Function = Reflect::get(&question, &"allow".into()).unwrap().unchecked_into();
    allow.call0(&JsValue::NULL).unwrap();
    assert_eq!(opening.await.unwrap_err(), SourceFault::Replaced);
    let track: web_sys::MediaStreamTrack = Reflect::get(&question, &"track".into()).unwrap().unchecked_into();
    file.until(|_| track.ready_state() == web_sys::MediaStreamTrackState::Ended).await;
    file.more_frames(3).await;
    assert_eq!((file.news(), camera.news()), (vec![], vec![]));
    let media = web_sys::window().unwrap().navigator().media_devices().unwrap();
    Reflect::delete_property(&media, &"getUserMedia".into()).unwrap();
}

#[wasm_bindgen_test]
async fn a_run_ends_when_another_source_is_asked_for_however_that_goes() {
    let slot = SourceSlot::default();
    let engine = engine(&slot).await;
    let (first, second, third) = (Told::default(), Told::default(), Told::default());
    let filmed = Filmed::new();
    let _run = engine.start(stream(&filmed), first.on()).await.unwrap();
    first.more_frames(1).await;
    // The returned future has not been polled.
    let opening = engine.start(SourceChoice::Demo { url: String::new() }, second.on());
    let replaced = [news(&RunEvent::Ended(EndReason::Replaced))];
    assert_eq!(first.news(), replaced);
    assert_eq!(opening.await.unwrap_err(), SourceFault::NoDemo);
    let frames = first.frames();

    let run: Run = engine.start(stream(&filmed), third.on()).await.unwrap();
    third.more_frames(2).await;
    assert_eq!((first.frames(), first.news().as_slice()), (frames, &replaced[..]));
    slot.clear();
    assert_eq!(third.news(), [news(&RunEvent::Ended(EndReason::Stopped))]);
    drop(run);
    assert_eq!(third.news().len(), 1, "an end is told once");
    assert_eq!(filmed.video().ready_state(), web_sys::MediaStreamTrackState::Live, "it is not ours to stop");
}

#[wasm_bindgen_test]
async fn a_request_made_before_the_engine_is_there_keeps_its_place() {
    let slot = SourceSlot::default();
    let (older, newer) = (slot.request(), slot.request());
    let engine = engine(&slot).await;
    let (first, second) = (Told::default(), Told::default());
    let filmed = Filmed::new();
    let _run = engine.open(newer, stream(&filmed), second.on()).await.unwrap();
    let late = engine.open(older, stream(&filmed), first.on()).await;
    assert_eq!(late.unwrap_err(), SourceFault::Replaced);
    second.more_frames(2).await;
    assert_eq!(second.news(), [] as [String; 0]);
}

#[wasm_bindgen_test]
async fn silence_is_told_and_so_is_its_end() {
    let engine = engine(&SourceSlot::default()).await;
    let told = Told::default();
    let filmed = Filmed::new();
    let _run = engine.start(stream(&filmed), told.on()).await.unwrap();
    told.more_frames(1).await;
    let video = filmed.video();
    filmed.stream.remove_track(&video);
    told.until(|told| !told.news().is_empty()).await;
    filmed.stream.add_track(&video);
    told.until(|told| told.news().len() > 1).await;
    let expected = [SourceState::Silent(Silence::Stream), SourceState::Playing];
    assert_eq!(told.news(), expected.map(|state| news(&RunEvent::SourceState(state))));
}

#[wasm_bindgen_test]
async fn an_element_s_run_follows_its_stream_and_ends_with_its_pictures() {
    let engine = engine(&SourceSlot::default()).await;
    let told = Told::default();
    let (first, second) = (Filmed::new(), Filmed::new());
    let video = element(&first.stream);
    let handle = VideoHandle::from(video.clone());
    let _run = engine.start(SourceChoice::Video(handle), told.on()).await.unwrap();
    told.more_frames(1).await;
    first.audio().stop();
    dispatch(&first.audio(), "ended");
    video.set_src_object(Some(&second.stream));
    first.video().stop();
    dispatch(&first.video(), "ended");
    set_muted(&second.audio(), true);
    told.more_frames(3).await;
    assert_eq!(told.news(), [] as [String; 0]);
    second.video().stop();
    told.until(|told| told.news().len() > 1).await;
    let lost = RunEvent::Fault(RunFault::SourceLost(SourceFault::StreamEnded));
    assert_eq!(told.news(), [news(&lost), news(&RunEvent::Ended(EndReason::Failed))]);
}
