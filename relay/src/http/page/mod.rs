//! The page: the files that Trunk built, carried in the binary and served from memory.
//!
//! Owns how a file reaches a browser: type, encoding, caching, revalidation, byte ranges. Refuses to read the disk at run
//! time, so no request can reach a file that was not built in.
//!
//! What compresses well is carried compressed alone, as every browser takes it: the binary would be half as large
//! again for clients that hardly ever come. For the first of them a file is unpacked, and kept.

mod range;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use mien_shared::Code;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::app::AppState;
use crate::http::problem::ApiError;
use range::Wanted;

/// Answers whatever no other route takes.
pub fn routes(base_path: &str) -> Router<AppState> {
    let page = Page::embedded().under(base_path);
    let base_path: Arc<str> = base_path.into();
    Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap| async move {
        // Here only as it was asked for: what is below the path has come without it.
        if !base_path.is_empty() && uri.path() == &*base_path {
            return Redirect::permanent(&format!("{base_path}/")).into_response();
        }
        page.answer(&method, &uri, &headers).await
    })
}

/// What all addresses in the page are relative to, as it is built.
const BASE_AT_ROOT: &str = "<base href=\"/\"";

/// Names with a content hash never mean anything else.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Other names may mean something new after an upgrade: ask each time, which costs a 304.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
const HTML: &str = "text/html; charset=utf-8";
/// Trunk writes 16 hexadecimal digits into a hashed name.
const HASH_DIGITS: usize = 16;

/// One file of the page.
#[derive(Debug)]
pub struct Asset {
    /// Path below the root, without a leading slash.
    path: &'static str,
    /// Of the uncompressed bytes, for the entity tag.
    hash: &'static str,
    /// Of the uncompressed bytes.
    length: usize,
    brotli: Option<&'static [u8]>,
    /// The uncompressed bytes, once anyone has asked for them.
    plain: OnceCell<Bytes>,
}

/// The files of one page, sorted by path.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    assets: &'static [Asset],
    /// What `/` and the page's own routes show.
    index: &'static Asset,
}

// `BUILT`, the files that were found.
include!(concat!(env!("OUT_DIR"), "/assets.rs"));
static UNBUILT: [Asset; 2] = [
    Asset::plain("index.html", "u1", include_bytes!("unbuilt.html")),
    Asset::plain("unbuilt.css", "u1", include_bytes!("unbuilt.css")),
];

impl Page {
    /// The page that was built in, or one that says how to build it.
    pub fn embedded() -> Self {
        Self::new(&BUILT).unwrap_or(Self { assets: &UNBUILT, index: &UNBUILT[0] })
    }

    /// `None` without an `index.html`. The files must be sorted by path.
    pub fn new(assets: &'static [Asset]) -> Option<Self> {
        debug_assert!(assets.is_sorted_by_key(|asset| asset.path));
        let index = assets.iter().find(|asset| asset.path == "index.html")?;
        Some(Self { assets, index })
    }

    /// The same page for a relay that is found below this path: its index says what addresses are relative to. Kept for
    /// as long as the program runs.
    #[must_use]
    pub fn under(self, base_path: &str) -> Self {
        if base_path.is_empty() {
            return self;
        }
        let html = match self.index.unpack() {
            Ok(html) => String::from_utf8_lossy(&html).into_owned(),
            Err(cause) => {
                tracing::error!(%cause, "the page cannot be unpacked");
                return self;
            }
        };
        let html = html.replace(BASE_AT_ROOT, &format!("<base href=\"{base_path}/\""));
        // An entity of its own, so with a tag of its own.
        let hash =
            Sha256::digest(&html)[..8].iter().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
        let index = Asset::plain("index.html", hash.leak(), html.leak().as_bytes());
        Self { assets: self.assets, index: Box::leak(Box::new(index)) }
    }

    /// Whether this is the real page.
    pub fn is_built(&self) -> bool {
        !std::ptr::eq(self.assets.as_ptr(), UNBUILT.as_ptr())
    }

    /// Every path that has a file.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.assets.iter().map(|asset| asset.path)
    }

    /// Answers a request that no route of the API took.
    pub async fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
        let Some(asset) = self.find(uri.path(), headers) else {
            return ApiError::plain(Code::NotFound).into_response();
        };
        if method != Method::GET && method != Method::HEAD {
            let mut response = ApiError::plain(Code::MethodNotAllowed).into_response();
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
            return response;
        }
        asset.answer(method, headers).await
    }

    fn find(&self, path: &str, headers: &HeaderMap) -> Option<&'static Asset> {
        let path = path.strip_prefix('/')?;
        if path == self.index.path {
            return Some(self.index);
        }
        if let Ok(place) = self.assets.binary_search_by(|asset| asset.path.cmp(path)) {
            return self.assets.get(place);
        }
        let of_the_page = path != "api" && !path.starts_with("api/") && !last_segment(path).contains('.');
        (path.is_empty() || (of_the_page && accepts_html(headers))).then_some(self.index)
    }
}

impl Asset {
    /// A file that is carried as it is.
    pub const fn plain(path: &'static str, hash: &'static str, bytes: &'static [u8]) -> Self {
        let plain = OnceCell::const_new_with(Bytes::from_static(bytes));
        Self { path, hash, length: bytes.len(), brotli: None, plain }
    }

    /// A file of so many bytes that is carried compressed.
    pub const fn packed(
        path: &'static str,
        hash: &'static str,
        length: usize,
        brotli: &'static [u8],
    ) -> Self {
        Self { path, hash, length, brotli: Some(brotli), plain: OnceCell::const_new() }
    }

    async fn answer(&'static self, method: &Method, headers: &HeaderMap) -> Response {
        let brotli = self.brotli.filter(|_| accepts_brotli(headers));
        // Two encodings are two representations, so each has its own strong tag (RFC 9110, 8.8.3).
        let tag = format!("\"{}{}\"", self.hash, brotli.map_or("", |_| "-br"));
        let fresh = is_known(headers, &tag);
        let length = brotli.map_or(self.length, <[u8]>::len);
        // What is known already is not sent, whatever part of it is asked for; only GET knows parts.
        let wanted =
            if fresh || method != Method::GET { Wanted::Whole } else { range::wanted(headers, length, &tag) };
        let body = match brotli {
            _ if fresh || method == Method::HEAD || wanted == Wanted::Nothing => Bytes::new(),
            Some(brotli) => Bytes::from_static(brotli),
            None => match self.unpacked().await {
                Ok(bytes) => bytes,
                Err(cause) => {
                    tracing::error!(path = self.path, %cause, "a file of the page cannot be unpacked");
                    return ApiError::plain(Code::Internal).into_response();
                }
            },
        };
        let mut response = Response::new(Body::empty());
        let answer = response.headers_mut();
        answer.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        answer.insert(header::ACCEPT_RANGES, range::BYTES);
        if wanted == Wanted::Nothing {
            let mut refused = ApiError::plain(Code::RangeNotSatisfiable).into_response();
            refused.headers_mut().extend(std::mem::take(answer));
            insert(refused.headers_mut(), header::CONTENT_RANGE, format!("bytes */{length}"));
            return refused;
        }
        answer.insert(header::CACHE_CONTROL, if is_hashed(self.path) { FOREVER } else { REVALIDATE });
        insert(answer, header::ETAG, tag);
        if fresh {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(self.path)));
        if brotli.is_some() {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        let (body, sent) = if let Wanted::Part(part) = wanted {
            let last = part.end - 1;
            insert(answer, header::CONTENT_RANGE, format!("bytes {}-{last}/{length}", part.start));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            (body.slice(part.clone()), part.len())
        } else {
            (body, length)
        };
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(sent));
        *response.body_mut() = Body::from(body);
        response
    }

    /// The file itself. The largest takes a tenth of a second to unpack, once, and not on a thread that serves.
    async fn unpacked(&'static self) -> std::io::Result<Bytes> {
        let unpack = || async { tokio::task::spawn_blocking(|| self.unpack()).await? };
        self.plain.get_or_try_init(unpack).await.cloned()
    }

    fn unpack(&self) -> std::io::Result<Bytes> {
        let Some(mut packed) = self.brotli else { return Ok(self.plain.get().cloned().unwrap_or_default()) };
        let mut bytes = Vec::with_capacity(self.length);
        brotli::BrotliDecompress(&mut packed, &mut bytes)?;
        Ok(bytes.into())
    }
}

/// Nothing that is inserted holds anything but digits and what a header may hold.
fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A hash stands after a dash and before the extension or wasm-bindgen's `_bg`:
/// `style-0123456789abcdef.css`, `app-0123456789abcdef_bg.wasm`.
fn is_hashed(path: &str) -> bool {
    last_segment(path).split('-').skip(1).any(|part| {
        let Some((digits, rest)) = part.split_at_checked(HASH_DIGITS) else { return false };
        digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            && (rest.starts_with('.') || rest.starts_with("_bg"))
    })
}

fn media_type(path: &str) -> &'static str {
    match last_segment(path).rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => HTML,
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "gif" => "image/gif",
        "ico" => "image/x-icon",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Only a browser means the page by a path that is no file, and browsers name HTML when a person goes
/// somewhere. Whoever takes anything, as programs do, learns that there is nothing here.
fn accepts_html(headers: &HeaderMap) -> bool {
    qualities(headers, header::ACCEPT).any(|(kind, wanted)| wanted && kind == "text/html")
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let named = qualities(headers, header::ACCEPT_ENCODING).filter(|(coding, _)| coding == "br").last();
    let any = || qualities(headers, header::ACCEPT_ENCODING).filter(|(coding, _)| coding == "*").last();
    named.or_else(any).is_some_and(|(_, wanted)| wanted)
}

/// The members of a list header in lower case, each with whether its quality is above 0.
fn qualities(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = (String, bool)> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|member| {
            let mut parts = member.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            (name, quality.is_none_or(|quality| quality.parse::<f32>().is_ok_and(|quality| quality > 0.0)))
        })
}

/// `If-None-Match` compares weakly (RFC 9110, 13.1.2).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests;
