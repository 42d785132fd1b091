//! Fetching what the engine needs: models with progress, the worker's code compiled while it arrives.

use js_sys::{Uint8Array, WebAssembly};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCache, RequestInit};

use super::download::{Cut, Download, SILENCE_MS};
use super::error::describe;

/// A module with one vector instruction, which is invalid for a browser without SIMD.
const SIMD_PROBE: [u8; 31] = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253,
    98, 11,
];

/// The first bytes of every module.
const WASM_MAGIC: &[u8] = b"\0asm";

#[derive(Debug)]
pub(crate) enum FetchFault {
    Status(u16),
    Network(String),
    /// Something else came, with a status as if it were the file.
    Foreign(Foreign),
    /// It is code, but the browser rejects it.
    Unusable(String),
}

/// What came instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// A web page: what the server of a single-page application sends for whatever it does not have.
    Page,
    Other,
}

impl Foreign {
    /// By its first bytes. Neither a module nor a model begins with an angle bracket.
    pub(crate) fn of(content: &[u8]) -> Self {
        let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        if text.trim_ascii_start().starts_with(b"<") { Self::Page } else { Self::Other }
    }
}

/// What a server says about a file.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// The media type without its parameters, in lower case.
    pub(crate) media_type: String,
    /// It comes with an embedder policy of its own.
    pub(crate) has_embedder_policy: bool,
}

pub(crate) fn has_simd() -> bool {
    WebAssembly::validate(&Uint8Array::from(&SIMD_PROBE[..])).unwrap_or(false)
}

/// Logical cores; 1 if the browser does not say.
pub(crate) fn cores() -> usize {
    web_sys::window().map_or(1, |window| window.navigator().hardware_concurrency() as usize)
}

/// The bytes at this address. `on_bytes` is told how many more have come, after each chunk.
pub(crate) async fn bytes(url: &str, on_bytes: impl Fn(u64)) -> Result<Vec<u8>, FetchFault> {
    get(url, RequestCache::Default).await?.bytes(on_bytes).await.map_err(cut)
}

/// The same, bypassing caches, for what came damaged: a cache would deliver the damage for a year.
pub(crate) async fn bytes_anew(url: &str) -> Result<Vec<u8>, FetchFault> {
    get(url, RequestCache::Reload).await?.bytes(|_| {}).await.map_err(cut)
}

/// The module at this address, compiled once, to be posted to every worker.
pub(crate) async fn module(url: &str) -> Result<JsValue, FetchFault> {
    let download = get(url, RequestCache::Default).await?;
    if media_type(&download.response) == "application/wasm" {
        // Compiling does not tell whether bytes still come; a clone of the response does.
        let twin = download.twin().map_err(cut)?;
        let answer = js_sys::Promise::resolve(&JsValue::from(download.response));
        let compiled = JsFuture::from(WebAssembly::compile_streaming(&answer));
        let mut head = Vec::new();
        twin.pieces(|piece| {
            let wanted = WASM_MAGIC.len().saturating_sub(head.len()) as u32;
            head.extend(piece.subarray(0, wanted).to_vec());
        })
        .await
        .map_err(cut)?;
        let compiled = compiled.await;
        if compiled.is_err() {
            is_module(&head)?;
        }
        return compiled.map_err(unusable);
    }
    // A server that does not know the type only costs us the streaming.
    let code = download.bytes(|_| {}).await.map_err(cut)?;
    is_module(&code)?;
    JsFuture::from(WebAssembly::compile(&array_buffer(&code))).await.map_err(unusable)
}

fn is_module(content: &[u8]) -> Result<(), FetchFault> {
    if content.starts_with(WASM_MAGIC) { Ok(()) } else { Err(FetchFault::Foreign(Foreign::of(content))) }
}

/// What the server says about the file at this address, whatever it contains.
pub(crate) async fn head(url: &str) -> Result<Head, FetchFault> {
    let download = Download::begin(url, &RequestInit::new(), SILENCE_MS).await.map_err(cut)?;
    let response = &download.response;
    let head = Head {
        status: response.status(),
        media_type: media_type(response),
        has_embedder_policy: header(response, "cross-origin-embedder-policy").is_some(),
    };
    download.leave();
    Ok(head)
}

fn header(response: &web_sys::Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

fn media_type(response: &web_sys::Response) -> String {
    let all = header(response, "content-type").unwrap_or_default();
    all.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_module_is_told_apart() {
        assert!(is_module(b"\0asm\x01\0\0\0").is_ok());
        for (content, expected) in [
            (&b"<!doctype html><title>App</title>"[..], Foreign::Page),
            (b"\n  <html>", Foreign::Page),
            (b"\xef\xbb\xbf<!-- built -->", Foreign::Page),
            (b"version https://git-lfs", Foreign::Other),
            (b"\0as", Foreign::Other),
            (b"", Foreign::Other),
        ] {
            let found = is_module(content);
            assert!(matches!(found, Err(FetchFault::Foreign(found)) if found == expected), "{content:?}");
        }
    }
}
