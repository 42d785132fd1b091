//! Fetching what the engine needs: models with progress, the worker's code compiled while it arrives.

use js_sys::{Uint8Array, WebAssembly};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCache, RequestInit};

use super::describe;
use super::download::{Cut, Download, SILENCE_MS};

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
    get(url, RequestCache::Default).await?.bytes(on_bytes).await.map_err(cut)
}

/// The same past every cache, for what came damaged: a cache would give the damage again for a year.
pub(crate) async fn bytes_anew(url: &str) -> Result<Vec<u8>, FetchFault> {
    get(url, RequestCache::Reload).await?.bytes(|_| {}).await.map_err(cut)
}

/// The module at this address, compiled once, to be posted to every worker.
pub(crate) async fn module(url: &str) -> Result<JsValue, FetchFault> {
    let download = get(url, RequestCache::Default).await?;
    let type_is_wasm = download
        .response
        .headers()
        .get("content-type")
        .ok()
        .flatten()
        .is_some_and(|kind| kind.starts_with("application/wasm"));
    if type_is_wasm {
        // Compiling does not tell whether bytes still come; a twin of the answer does.
        let twin = download.twin().map_err(cut)?;
        let answer = js_sys::Promise::resolve(&JsValue::from(download.response));
        let compiled = JsFuture::from(WebAssembly::compile_streaming(&answer));
        twin.pieces(|_| {}).await.map_err(cut)?;
        return compiled.await.map_err(unusable);
    }
    // A server that does not know the type costs the streaming, nothing else.
    let code = download.bytes(|_| {}).await.map_err(cut)?;
    JsFuture::from(WebAssembly::compile(&array_buffer(&code))).await.map_err(unusable)
}

async fn get(url: &str, cache: RequestCache) -> Result<Download, FetchFault> {
    let init = RequestInit::new();
    init.set_cache(cache);
    let download = Download::begin(url, &init, SILENCE_MS).await.map_err(cut)?;
    let response = &download.response;
    if response.ok() { Ok(download) } else { Err(FetchFault::Status(response.status())) }
}

fn cut(cut: Cut) -> FetchFault {
    FetchFault::Network(match cut {
        Cut::Silent => "nothing came for half a minute".to_owned(),
        Cut::Broken(thrown) => describe(&thrown),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unusable(thrown: JsValue) -> FetchFault {
    FetchFault::Unusable(describe(&thrown))
}

/// A copy of these bytes for posting.
pub(crate) fn array_buffer(content: &[u8]) -> js_sys::ArrayBuffer {
    Uint8Array::from(content).buffer()
}
