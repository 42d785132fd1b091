//! The document the engine runs in.

use std::time::Duration;

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::clock::{Captured, Steady, WallMs};

/// Two readings of the clocks that lie further apart than this say little of each other: the page was held up
/// between them.
const TOGETHER: Duration = Duration::from_millis(5);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// Now, by the monotonic clock: for every deadline, pause and age.
pub fn steady_now() -> Steady {
    steady(performance_now())
}

/// The same as milliseconds with fractions.
pub(crate) fn now_precise_ms() -> f64 {
    performance_now()
}

/// A `DOMHighResTimeStamp`.
pub(crate) fn steady(ms: f64) -> Steady {
    Steady::after(Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or_default())
}

/// Now, by the wall clock: a label and nothing else.
#[expect(clippy::disallowed_methods, reason = "the one place that labels captures, and answers with a label")]
pub fn wall_now() -> WallMs {
    WallMs(js_sys::Date::now() as u64)
}

/// Now, by both clocks.
pub(crate) fn captured_now() -> Captured {
    let read = || {
        let (before, at, after) = (steady_now(), wall_now(), steady_now());
        (Captured { at, steady: after }, after.since(before))
    };
    let (captured, apart) = read();
    // Whoever is held up twice in a row has a clock too coarse to better it.
    if apart <= TOGETHER { captured } else { read().0 }
}

/// Where the page lies, without a slash at the end: its origin, for example `http://127.0.0.1:8080`, and the path under
/// which it is served, where there is one, as its `<base>` names it. Empty outside a window.
pub fn page_base() -> String {
    page_url(".").trim_end_matches('/').to_owned()
}

/// Where the page's sockets go, as an address of HTTP: where the page itself lies, unless its boot script says
/// otherwise in `data-relay`. Only a page that Trunk serves has that: Trunk's proxy answers a socket without its
/// subprotocol, so that browsers hang up.
pub fn sockets_base() -> String {
    BootScript::find()
        .and_then(|script| script.url("relay"))
        .and_then(|url| web_sys::Url::new(&url).ok())
        .map_or_else(page_base, |url| url.origin())
}

fn page_origin() -> String {
    web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default()
}

/// The script that started the page. Its `data-` attributes name what was built.
#[derive(Debug)]
pub(crate) struct BootScript(web_sys::Element);

impl BootScript {
    pub(crate) fn find() -> Option<Self> {
        let document = web_sys::window()?.document()?;
        document.query_selector("script[data-worker-boot]").ok().flatten().map(Self)
    }

    /// The attribute `data-NAME` as an absolute address.
    pub(crate) fn url(&self, name: &str) -> Option<String> {
        let relative = self.0.get_attribute(&format!("data-{name}")).filter(|text| !text.is_empty())?;
        let base = self.0.base_uri().ok().flatten()?;
        web_sys::Url::new_with_base(&relative, &base).ok().map(|url| url.href())
    }

    /// Every file that it names, itself included, as the page writes them.
    pub(crate) fn names(&self) -> Vec<String> {
        let attributes = self.0.get_attribute_names();
        let named = attributes.iter().filter_map(|name| name.as_string());
        let files = named.filter(|name| name == "src" || name.starts_with("data-"));
        files.filter_map(|name| self.0.get_attribute(&name)).filter(|value| !value.is_empty()).collect()
    }
}

/// What a thrown value says of itself: `NAME: message` of an error, else its text.
pub(crate) fn describe(thrown: &JsValue) -> String {
    if let Some(exception) = thrown.dyn_ref::<web_sys::DomException>() {
        return format!("{}: {}", exception.name(), exception.message());
    }
    if let Some(error) = thrown.dyn_ref::<js_sys::Error>() {
        return format!("{}: {}", String::from(error.name()), String::from(error.message()));
    }
    thrown.as_string().unwrap_or_else(|| "unknown failure".to_owned())
}

/// Whether nobody sees the page.
pub(crate) fn is_hidden() -> bool {
    web_sys::window().and_then(|window| window.document()).is_some_and(|page| page.hidden())
}

/// 0 … 1, for spreading retries.
pub(crate) fn random() -> f64 {
    js_sys::Math::random()
}

/// Calls back when the browser sees the network again.
#[derive(Debug)]
pub(crate) struct OnlineGuard {
    _listener: Option<gloo_events::EventListener>,
}

impl OnlineGuard {
    pub(crate) fn new(on: impl Fn() + 'static) -> Self {
        let listener =
            web_sys::window().map(|window| gloo_events::EventListener::new(&window, "online", move |_| on()));
        Self { _listener: listener }
    }
}

/// Calls back when the page may be about to go: it is being left, or it is out of sight, where a phone may end it
/// without another word.
#[derive(Debug)]
pub(crate) struct LeaveGuard {
    _listeners: Option<[gloo_events::EventListener; 2]>,
}

impl LeaveGuard {
    pub(crate) fn new(on: impl Fn() + Clone + 'static) -> Self {
        let listeners = web_sys::window().and_then(|window| {
            let document = window.document()?;
            let (page, hide) = (document.clone(), on.clone());
            Some([
                gloo_events::EventListener::new(&window, "pagehide", move |_| on()),
                gloo_events::EventListener::new(&document, "visibilitychange", move |_| {
                    if page.hidden() {
                        hide();
                    }
                }),
            ])
        });
        Self { _listeners: listeners }
    }
}

/// This address as an absolute one, resolved against the document.
pub(crate) fn page_url(relative: &str) -> String {
    let base = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|page| page.base_uri().ok().flatten());
    base.and_then(|base| web_sys::Url::new_with_base(relative, &base).ok())
        .map_or_else(|| relative.to_owned(), |url| url.href())
}

/// Whether this absolute address is on another origin than the page. What lies in the page itself (`blob:`,
/// `data:`) is not.
pub(crate) fn is_other_origin(address: &str) -> bool {
    web_sys::Url::new(address).is_ok_and(|url| {
        matches!(url.protocol().as_str(), "http:" | "https:") && url.origin() != page_origin()
    })
}
