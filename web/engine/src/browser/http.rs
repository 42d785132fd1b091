//! One HTTP call that always settles: its response begins in time and comes without long silence.

use super::download::{Cut, Download};
use super::error::describe;

/// The relay answers a call within 30 s or not at all; a little more for the network.
const TIMEOUT_MS: u32 = 40_000;

#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    /// It asks for HTTP's own authentication, which no relay does.
    pub(crate) asks_for_password: bool,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug)]
pub(crate) enum HttpFault {
    Timeout,
    Unreachable(String),
}

pub(crate) async fn request(
    method: &str,
    url: &str,
    token: Option<&str>,
    body: Option<String>,
) -> Result<HttpAnswer, HttpFault> {
    let headers = web_sys::Headers::new().map_err(Cut::Broken)?;
    if let Some(token) = token {
        headers.set("Authorization", &format!("Bearer {token}")).map_err(Cut::Broken)?;
    }
    let init = web_sys::RequestInit::new();
    init.set_method(method);
    if let Some(body) = body {
        headers.set("Content-Type", "application/json").map_err(Cut::Broken)?;
        init.set_body(&body.into());
    }
    init.set_headers(&headers);
    let download = Download::begin(url, &init, TIMEOUT_MS).await?;
    let asks_for_password = asks_for_password(&download.response);
    let body = download.bytes(|_| {}).await?;
    Ok(HttpAnswer { status: download.response.status(), asks_for_password, body })
}

/// What a proxy with a password answers; the relay's own 401 says `Bearer`.
pub(super) fn asks_for_password(response: &web_sys::Response) -> bool {
    let scheme = response.headers().get("www-authenticate").ok().flatten().unwrap_or_default();
    let scheme = scheme.trim_start().to_ascii_lowercase();
    response.status() == 401 && (scheme.starts_with("basic") || scheme.starts_with("digest"))
}

impl From<Cut> for HttpFault {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Silent => Self::Timeout,
            Cut::Broken(thrown) => Self::Unreachable(describe(&thrown)),
        }
    }
}
