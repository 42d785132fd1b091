//! Trusted Types: where a page demands them, the address of a worker's script must have gone through a policy.

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// What a page's `trusted-types` directive must allow.
pub(crate) const POLICY: &str = "mien";

/// The policy and its callback. It is used only for the worker's script, and nothing else can reach it.
struct Policy {
    object: JsValue,
    create: Function,
    _on: Closure<dyn FnMut(JsValue) -> JsValue>,
}

thread_local! {
    /// Created once: a page may allow each name only once.
    static MADE: Option<Policy> = Policy::make();
}

impl Policy {
    fn make() -> Option<Self> {
        let factory = Reflect::get(&js_sys::global(), &"trustedTypes".into()).ok()?;
        let make: Function = Reflect::get(&factory, &"createPolicy".into()).ok()?.dyn_into().ok()?;
        let on = Closure::<dyn FnMut(JsValue) -> JsValue>::new(|address| address);
        let rules = Object::new();
        Reflect::set(&rules, &"createScriptURL".into(), on.as_ref()).ok()?;
        let policy = make.call2(&factory, &POLICY.into(), &rules).ok()?;
        let create = Reflect::get(&policy, &"createScriptURL".into()).ok()?.dyn_into().ok()?;
        Some(Self { object: policy, create, _on: on })
    }

    fn trusted(&self, address: &JsValue) -> Option<JsValue> {
        self.create.call1(&self.object, address).ok()
    }
}

/// The address as a page with Trusted Types requires it; unchanged if there are none, or if the page does not allow our
/// policy.
fn script_url(address: &str) -> JsValue {
    let address = JsValue::from(address);
    MADE.with(|policy| policy.as_ref().and_then(|policy| policy.trusted(&address))).unwrap_or(address)
}

/// Starts a module worker.
pub(crate) fn module_worker(address: &str) -> Result<web_sys::Worker, JsValue> {
    let options = web_sys::WorkerOptions::new();
    options.set_type(web_sys::WorkerType::Module);
    let class: Function = Reflect::get(&js_sys::global(), &"Worker".into())?.dyn_into()?;
    Reflect::construct(&class, &Array::of2(&script_url(address), &options))?.dyn_into()
}

/// Whether this is what a page that demands Trusted Types throws at an address without them.
pub(crate) fn is_demanded(thrown: &JsValue) -> bool {
    // An invalid address throws a `SyntaxError`, one of another origin a `SecurityError`.
    thrown.is_instance_of::<js_sys::TypeError>()
        && Reflect::has(&js_sys::global(), &"trustedTypes".into()).unwrap_or(false)
}
