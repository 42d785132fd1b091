//! Fetching what the engine needs: models with progress, the worker's code compiled while it arrives.

use js_sys::{Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::describe;

/// Body of a function with one vector instruction; a browser without SIMD finds it invalid.
const SIMD_PROBE: [u8; 31] = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253,
    98, 11,
];

#[derive(Debug)]
pub(crate) enum FetchFault {
    Status(u16),
    Network(String),
    /// It came, but is no code.
    Unusable(String),
}

pub(crate) fn has_simd() -> bool {
    WebAssembly::validate(&Uint8Array::from(&SIMD_PROBE[..])).unwrap_or(false)
}

/// Logical cores, 1 where the browser does not say.
pub(crate) fn cores() -> usize {
    web_sys::window().map_or(1, |window| window.navigator().hardware_concurrency() as usize)
}

/// The bytes at this address. `on_bytes` hears how many more have come, after each piece.
pub(crate) async fn bytes(url: &str, on_bytes: impl Fn(u64)) -> Result<Vec<u8>, FetchFault> {
    let response = get(url).await?;
    let mut all = Vec::new();
    let Some(body) = response.body() else { return Ok(all) };
    let reader: web_sys::ReadableStreamDefaultReader =
        body.get_reader().dyn_into().map_err(|_| FetchFault::Network("no stream".to_owned()))?;
    loop {
        let piece = JsFuture::from(reader.read()).await.map_err(network)?;
        let done = Reflect::get(&piece, &"done".into()).map_err(network)?;
        if done.is_truthy() {
            return Ok(all);
        }
        let value: Uint8Array =
            Reflect::get(&piece, &"value".into()).map_err(network)?.dyn_into().map_err(network)?;
        let before = all.len();
        all.resize(before + value.length() as usize, 0);
        value.copy_to(&mut all[before..]);
        on_bytes(u64::from(value.length()));
    }
}

/// The module at this address, compiled once, to be posted to every worker.
pub(crate) async fn module(url: &str) -> Result<JsValue, FetchFault> {
    let response = get(url).await?;
    let type_is_wasm = response
        .headers()
        .get("content-type")
        .ok()
        .flatten()
        .is_some_and(|kind| kind.starts_with("application/wasm"));
    if type_is_wasm {
        let promise = js_sys::Promise::resolve(&JsValue::from(response));
        return JsFuture::from(WebAssembly::compile_streaming(&promise)).await.map_err(unusable);
    }
    // A server that does not know the type costs the streaming, nothing else.
    let buffer = JsFuture::from(response.array_buffer().map_err(network)?).await.map_err(network)?;
    JsFuture::from(WebAssembly::compile(&buffer)).await.map_err(unusable)
}

async fn get(url: &str) -> Result<web_sys::Response, FetchFault> {
    let window = web_sys::window().ok_or_else(|| FetchFault::Network("no window".to_owned()))?;
    let response = JsFuture::from(window.fetch_with_str(url)).await.map_err(network)?;
    let response: web_sys::Response = response.dyn_into().map_err(network)?;
    if response.ok() { Ok(response) } else { Err(FetchFault::Status(response.status())) }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn network(thrown: JsValue) -> FetchFault {
    FetchFault::Network(describe(&thrown))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unusable(thrown: JsValue) -> FetchFault {
    FetchFault::Unusable(describe(&thrown))
}

/// A copy of these bytes for posting.
pub(crate) fn array_buffer(content: &[u8]) -> js_sys::ArrayBuffer {
    Uint8Array::from(content).buffer()
}
