//! One file of the page: its type, encoding, caching, revalidation and byte ranges.
//!
//! What compresses well is embedded in compressed form only, which every browser accepts: both forms would make the binary
//! half as large again. For the first client that needs it a file is unpacked, and kept.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use mien_shared::Code;
use tokio::sync::OnceCell;

use super::headers::accepts_brotli;
use super::range::{self, Wanted};
use crate::http::problem::ApiError;

/// Names with a content hash never mean anything else.
pub(super) const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Other names may mean something new after an upgrade: ask each time, which costs a 304.
pub(super) const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
pub(super) const HTML: &str = "text/html; charset=utf-8";
/// Trunk writes 16 hexadecimal digits into a hashed name.
const HASH_DIGITS: usize = 16;

/// One file of the page.
#[derive(Debug)]
pub struct Asset {
    /// Path below the root, without a leading slash.
    pub(super) path: &'static str,
    /// Of the uncompressed bytes, for the entity tag.
    hash: &'static str,
    /// Of the uncompressed bytes.
    length: usize,
    pub(super) brotli: Option<&'static [u8]>,
    /// The uncompressed bytes, once anyone has asked for them.
    pub(super) plain: OnceCell<Bytes>,
}

impl Asset {
    /// A file that is embedded as it is.
    pub const fn plain(path: &'static str, hash: &'static str, bytes: &'static [u8]) -> Self {
        let plain = OnceCell::const_new_with(Bytes::from_static(bytes));
        Self { path, hash, length: bytes.len(), brotli: None, plain }
    }

    /// A file of so many bytes that is embedded compressed.
    pub const fn packed(
        path: &'static str,
        hash: &'static str,
        length: usize,
        brotli: &'static [u8],
    ) -> Self {
        Self { path, hash, length, brotli: Some(brotli), plain: OnceCell::const_new() }
    }

    pub(super) async fn answer(&'static self, method: &Method, headers: &HeaderMap) -> Response {
        let brotli = self.brotli.filter(|_| accepts_brotli(headers));
        // Two encodings are two representations, so each has its own strong tag (RFC 9110, 8.8.3).
        let tag = format!("\"{}{}\"", self.hash, brotli.map_or("", |_| "-br"));
        let fresh = is_known(headers, &tag);
        let length = brotli.map_or(self.length, <[u8]>::len);
        // What the client has is not sent, whatever range of it is asked for; only GET has ranges.
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

    pub(super) fn unpack(&self) -> std::io::Result<Bytes> {
        let Some(mut packed) = self.brotli else { return Ok(self.plain.get().cloned().unwrap_or_default()) };
        let mut bytes = Vec::with_capacity(self.length);
        brotli::BrotliDecompress(&mut packed, &mut bytes)?;
        Ok(bytes.into())
    }
}

/// Every value inserted consists of characters that a header may hold.
fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// A hash stands after a dash and before the extension or wasm-bindgen's `_bg`:
/// `style-0123456789abcdef.css`, `app-0123456789abcdef_bg.wasm`.
pub(super) fn is_hashed(path: &str) -> bool {
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

pub(super) fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
