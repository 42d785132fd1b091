//! What a request accepts.

use axum::http::{HeaderMap, header};

/// Only a browser means the page by a path that is no file, and browsers name HTML when a person navigates. Programs,
/// which accept anything, learn that there is nothing here.
pub(super) fn accepts_html(headers: &HeaderMap) -> bool {
    qualities(headers, header::ACCEPT).any(|(kind, wanted)| wanted && kind == "text/html")
}

pub(super) fn accepts_brotli(headers: &HeaderMap) -> bool {
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
