//! Text of what JavaScript throws.

use wasm_bindgen::{JsCast, JsValue};

/// Describes a thrown value: `NAME: message` of an error, otherwise its text.
pub(crate) fn describe(thrown: &JsValue) -> String {
    if let Some(exception) = thrown.dyn_ref::<web_sys::DomException>() {
        return format!("{}: {}", exception.name(), exception.message());
    }
    if let Some(error) = thrown.dyn_ref::<js_sys::Error>() {
        return format!("{}: {}", String::from(error.name()), String::from(error.message()));
    }
    thrown.as_string().unwrap_or_else(|| "unknown failure".to_owned())
}
