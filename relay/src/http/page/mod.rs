//! The page: the files that Trunk built, embedded in the binary and served from memory.
//!
//! The disk is never read at run time, so no request can reach a file that was not built in.

mod asset;
mod headers;
mod range;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use mien_shared::Code;
use sha2::{Digest, Sha256};

use crate::app::AppState;
use crate::http::problem::ApiError;
pub use asset::Asset;
use asset::last_segment;
use headers::accepts_html;

/// Answers whatever no other route takes.
pub fn routes(base_path: &str) -> Router<AppState> {
    let page = Page::embedded().under(base_path);
    let base_path: Arc<str> = base_path.into();
    Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap| async move {
        // The path itself comes unchanged; what is below it has lost the prefix.
        if !base_path.is_empty() && uri.path() == &*base_path {
            return Redirect::permanent(&format!("{base_path}/")).into_response();
        }
        page.answer(&method, &uri, &headers).await
    })
}

/// What all addresses in the page are relative to, as it is built.
const BASE_AT_ROOT: &str = "<base href=\"/\"";

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
        // Its content differs, and so must its entity tag.
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

#[cfg(test)]
mod tests;
