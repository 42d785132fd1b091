//! The document the engine runs in.

use wasm_bindgen::{JsCast, JsValue};

/// Unix milliseconds by the page's clock.
pub fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// The page's own origin, for example `http://127.0.0.1:8080`; empty outside a window.
pub fn page_origin() -> String {
    web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default()
}

/// Where the page's sockets go, as an origin of HTTP: the page's own, unless its boot script says otherwise in
/// `data-relay`. Only a page that Trunk serves has that: Trunk's proxy answers a socket without its
/// subprotocol, so that browsers hang up.
pub fn sockets_origin() -> String {
    BootScript::find()
        .and_then(|script| script.url("relay"))
        .and_then(|url| web_sys::Url::new(&url).ok())
        .map_or_else(page_origin, |url| url.origin())
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

/// Milliseconds since the page was opened, with fractions; never goes back.
pub(crate) fn now_precise_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
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
