//! The security headers of every answer. The Content-Security-Policy keeps the promise that no frame leaves the browser:
//! the page can connect to the relay alone.

use axum::http::{HeaderName, HeaderValue, header};

/// Nothing is loaded, sent or framed that is not the relay's own. `wasm-unsafe-eval` allows compiling
/// WebAssembly and nothing else; the pictures and videos that a person opens are `blob:`.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; \
     manifest-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

pub(super) const SECURITY_HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(self), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=(), \
             hid=(), midi=(), gyroscope=(), accelerometer=(), magnetometer=(), browsing-topics=()",
        ),
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];
