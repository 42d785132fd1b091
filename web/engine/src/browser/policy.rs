//! What the page's headers forbid. What they forbid fails with an error that says nothing; the header is named elsewhere,
//! in an event of the document or in a report.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_events::EventListener;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// A browser reports why before or shortly after the failure itself: Chromium 156 reported Content-Security-Policy at
/// once, and the embedder policy, which another process decides, some milliseconds later.
const TOLD_WITHIN_MS: u32 = 1_000;
const LOOK_MS: u32 = 20;

/// What a policy has refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A directive of Content-Security-Policy.
    Content { directive: String },
    /// The embedder policy of the page, which a worker's script must have as well.
    Embedder,
}

/// Listens for as long as it lives, and keeps what is about these addresses or about WebAssembly.
pub(crate) struct PolicyWatch {
    refused: Rc<RefCell<Vec<(String, Refusal)>>>,
    _violations: Option<EventListener>,
    _reports: Option<Reports>,
}

impl std::fmt::Debug for PolicyWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PolicyWatch({:?})", self.refused.borrow())
    }
}

/// What a violation names if it is about compiling WebAssembly.
pub(crate) const WASM_EVAL: &str = "wasm-eval";

impl PolicyWatch {
    pub(crate) fn over(addresses: Vec<String>) -> Self {
        let refused = Rc::new(RefCell::new(Vec::new()));
        let list = refused.clone();
        // Only what is ours and new: a page may violate its policies as often as it likes.
        let keep = move |blocked: &str, refusal: Refusal| {
            let known = addresses.iter().find(|address| is_about(blocked, address)).map(String::as_str);
            let Some(subject) = known.or_else(|| (blocked == WASM_EVAL).then_some(WASM_EVAL)) else { return };
            let entry = (subject.to_owned(), refusal);
            let mut list = list.borrow_mut();
            if !list.contains(&entry) {
                list.push(entry);
            }
        };
        let keep_report = keep.clone();
        let document = web_sys::window().and_then(|window| window.document());
        let violations = document.map(|document| {
            EventListener::new(&document, "securitypolicyviolation", move |event| {
                let (blocked, directive) = (text(event, "blockedURI"), text(event, "effectiveDirective"));
                // A report-only policy refuses nothing.
                if text(event, "disposition") == "enforce" {
                    keep(&blocked, Refusal::Content { directive });
                }
            })
        });
        let reports = Reports::begin(move |body| {
            if text(body, "type") == "worker initialization" && text(body, "disposition") == "enforce" {
                keep_report(&text(body, "blockedURL"), Refusal::Embedder);
            }
        });
        Self { refused, _violations: violations, _reports: reports }
    }

    /// What was refused about this address, or [`WASM_EVAL`], once the browser has had time to report it.
    pub(crate) async fn refusal(&self, subject: &str) -> Option<Refusal> {
        for _ in 0..TOLD_WITHIN_MS / LOOK_MS {
            let refused = self.refused.borrow().iter().find(|(about, _)| about == subject).cloned();
            if let Some((_, refusal)) = refused {
                return Some(refusal);
            }
            TimeoutFuture::new(LOOK_MS).await;
        }
        None
    }
}

/// Browsers report only the origin of a cross-origin address, and only the scheme of one without an origin.
fn is_about(blocked: &str, address: &str) -> bool {
    let rest = address.strip_prefix(blocked);
    !blocked.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
}

fn text(of: &JsValue, name: &str) -> String {
    Reflect::get(of, &name.into()).ok().and_then(|value| value.as_string()).unwrap_or_default()
}

/// Reports of the embedder policy. Not every browser delivers them to the page.
struct Reports {
    observer: JsValue,
    _on: Closure<dyn FnMut(Array)>,
}

impl Reports {
    fn begin(on: impl Fn(&JsValue) + 'static) -> Option<Self> {
        let on = Closure::<dyn FnMut(Array)>::new(move |reports: Array| {
            for report in reports.iter().filter(|report| text(report, "type") == "coep") {
                let body = Reflect::get(&report, &"body".into()).unwrap_or_default();
                // Chromium 156 exposes the members of these reports only in their JSON.
                on(&call(&body, "toJSON").unwrap_or(body));
            }
        });
        let class: Function =
            Reflect::get(&js_sys::global(), &"ReportingObserver".into()).ok()?.dyn_into().ok()?;
        let options = Object::new();
        Reflect::set(&options, &"types".into(), &Array::of1(&"coep".into())).ok()?;
        let observer = Reflect::construct(&class, &Array::of2(on.as_ref(), &options)).ok()?;
        call(&observer, "observe")?;
        Some(Self { observer, _on: on })
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        call(&self.observer, "disconnect");
    }
}

fn call(of: &JsValue, name: &str) -> Option<JsValue> {
    let method: Function = Reflect::get(of, &name.into()).ok()?.dyn_into().ok()?;
    method.call0(of).ok()
}

/// Whether the page is isolated from other origins, which it can only be under an embedder policy.
pub(crate) fn is_isolated() -> bool {
    Reflect::get(&js_sys::global(), &"crossOriginIsolated".into()).is_ok_and(|value| value.is_truthy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_belongs_to_the_address_it_names() {
        let worker = "https://a.example/mien/mien-worker.js";
        for (blocked, expected) in [
            (worker, true),
            ("https://a.example", true),
            ("https://a.example/mien/mien-worker.jsx", false),
            ("https://a.exam", false),
            ("https://b.example", false),
            ("", false),
            ("inline", false),
        ] {
            assert_eq!(is_about(blocked, worker), expected, "{blocked}");
        }
        assert!(is_about("data", "data:text/javascript,1"));
    }
}
