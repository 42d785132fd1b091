//! Real module workers that speak the protocol and analyse nothing, so that they can be made to fail.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::FutureExt;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, ArrayBuffer};
use mien_models::Scope;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::browser::page_url;
use crate::browser::policy::PolicyWatch;
use crate::browser::worker::{ModelBuffers, WorkerKit};
use crate::faults::LoadFault;
use crate::pool::{Job, PoolEvent, Snapshot, WorkerPool};

/// Ready at once; answers each frame after 30 ms and hands the picture back.
pub(super) const WORKS: &str = r#"
self.onmessage = ({ data }) => {
  const message = JSON.parse(data.header);
  if (message.type === "load") { post({ type: "ready" }); return; }
  TROUBLE
  setTimeout(() => {
    post({ type: "scored", frame: message.frame, detections: [] }, data.bitmap);
  }, 30);
};
function post(header, bitmap) {
  self.postMessage({ header: JSON.stringify(header), bitmap }, bitmap ? [bitmap] : []);
}
"#;

const REFUSES: &str = r#"
self.onmessage = () => {
  const header = { type: "failed", frame: null, fault: { fault: "load", why: "no models here" } };
  self.postMessage({ header: JSON.stringify(header) });
};
"#;

pub(super) fn kit(script: &str) -> Rc<WorkerKit> {
    let options = web_sys::BlobPropertyBag::new();
    options.set_type("text/javascript");
    let parts = Array::of1(&script.into());
    let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options).unwrap();
    Rc::new(WorkerKit {
        boot_url: web_sys::Url::create_object_url_with_blob(&blob).unwrap(),
        glue_url: String::new(),
        module: JsValue::NULL,
        models: ModelBuffers {
            near: ArrayBuffer::new(0),
            far: ArrayBuffer::new(0),
            expression: ArrayBuffer::new(0),
        },
        policies: Rc::new(PolicyWatch::over(Vec::new())),
    })
}

#[derive(Debug, PartialEq)]
enum Seen {
    Ready,
    /// Capture time, and whether the picture came back.
    Answer(u64, bool),
    Failed,
    Restarting,
    GaveUp(String),
}

struct Bench {
    pool: WorkerPool<u64>,
    seen: Rc<RefCell<Vec<Seen>>>,
}

impl Bench {
    fn start(script: &str, size: usize) -> Self {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let log = seen.clone();
        let pool = WorkerPool::start(kit(script), size, move |event| {
            log.borrow_mut().push(match event {
                PoolEvent::Ready => Seen::Ready,
                PoolEvent::Answer(answer) => Seen::Answer(answer.tag, answer.image.is_some()),
                PoolEvent::FrameFailed { .. } => Seen::Failed,
                PoolEvent::Restarting { .. } => Seen::Restarting,
                PoolEvent::GaveUp { fault } => Seen::GaveUp(fault.to_string()),
            });
        });
        Self { pool, seen }
    }

    fn offer(&self, at_ms: u64) {
        let snapshot = || Snapshot {
            scope: Scope::Near,
            long_side: 64,
            expected: Vec::new(),
            bitmap: bitmap().boxed_local(),
        };
        self.pool.offer(Job { tag: at_ms, snapshot: Box::new(snapshot) });
    }

    /// Waits until this many events of this kind have arrived; fails after ten seconds.
    async fn until(&self, count: usize, kind: impl Fn(&Seen) -> bool) {
        for _ in 0..1_000 {
            if self.seen.borrow().iter().filter(|seen| kind(seen)).count() >= count {
                return;
            }
            TimeoutFuture::new(10).await;
        }
        panic!("not in time: {:?}", self.seen.borrow());
    }

    fn answers(&self) -> Vec<u64> {
        let answer = |seen: &Seen| match seen {
            Seen::Answer(at, _) => Some(*at),
            _ => None,
        };
        self.seen.borrow().iter().filter_map(answer).collect()
    }
}

async fn bitmap() -> Result<web_sys::ImageBitmap, String> {
    let window = web_sys::window().unwrap();
    let canvas: web_sys::HtmlCanvasElement =
        window.document().unwrap().create_element("canvas").unwrap().unchecked_into();
    let promise = window.create_image_bitmap_with_html_canvas_element(&canvas).unwrap();
    Ok(JsFuture::from(promise).await.unwrap().unchecked_into())
}

#[wasm_bindgen_test]
async fn the_newest_frame_wins_and_pictures_come_back_in_order() {
    let bench = Bench::start(&WORKS.replace("TROUBLE", ""), 2);
    bench.until(2, |seen| *seen == Seen::Ready).await;
    for at in 1..=40 {
        bench.offer(at);
        TimeoutFuture::new(4).await;
    }
    bench.until(1, |seen| matches!(seen, Seen::Answer(40, _))).await;
    let answers = bench.answers();
    assert!(answers.is_sorted() && answers.len() < 40, "{answers:?}");
    assert_eq!(answers.len() as u64 + bench.pool.skipped(), 40);
    assert!(!bench.seen.borrow().iter().any(|seen| matches!(seen, Seen::Answer(_, false))));
}

#[wasm_bindgen_test]
async fn a_crash_costs_its_frame_and_the_worker_starts_again() {
    let trouble = "if (message.frame === 2) throw new Error('trap');";
    let bench = Bench::start(&WORKS.replace("TROUBLE", trouble), 1);
    bench.until(1, |seen| *seen == Seen::Ready).await;
    for at in 1..=3 {
        bench.offer(at);
        bench.until(at as usize, |seen| matches!(seen, Seen::Answer(..) | Seen::Failed)).await;
    }
    assert_eq!(
        *bench.seen.borrow(),
        [
            Seen::Ready,
            Seen::Answer(1, true),
            Seen::Failed,
            Seen::Restarting,
            Seen::Ready,
            Seen::Answer(3, true)
        ]
    );
}

#[wasm_bindgen_test]
async fn a_worker_that_always_crashes_is_given_up() {
    let bench = Bench::start(&WORKS.replace("TROUBLE", "throw new Error('trap');"), 1);
    bench.until(1, |seen| *seen == Seen::Ready).await;
    for at in 1..=3 {
        bench.offer(at);
        bench.until(at as usize, |seen| *seen == Seen::Failed).await;
    }
    bench.until(1, |seen| matches!(seen, Seen::GaveUp(detail) if detail.contains("trap"))).await;
    assert!(bench.pool.is_over());
}

#[wasm_bindgen_test]
async fn models_that_are_refused_end_it_with_the_reason() {
    let bench = Bench::start(REFUSES, 2);
    bench.until(1, |seen| matches!(seen, Seen::GaveUp(detail) if detail.contains("no models here"))).await;
}

#[wasm_bindgen_test]
async fn a_script_that_does_not_exist_ends_it_with_its_address() {
    let kit = WorkerKit { boot_url: page_url("/no-such-worker.js"), ..(*kit("")).clone() };
    let seen = Rc::new(RefCell::new(None));
    let told = seen.clone();
    let _pool = WorkerPool::<u64>::start(Rc::new(kit), 1, move |event| {
        if let PoolEvent::GaveUp { fault } = event {
            *told.borrow_mut() = Some(fault);
        }
    });
    for _ in 0..500 {
        if let Some(fault) = &*seen.borrow() {
            let text = fault.to_string();
            assert!(matches!(fault, LoadFault::NotBuilt { .. }), "{fault:?}");
            assert!(text.contains(&page_url("/no-such-worker.js")) && text.contains("404"), "{text}");
            return;
        }
        TimeoutFuture::new(10).await;
    }
    panic!("nobody said that there is no worker");
}
