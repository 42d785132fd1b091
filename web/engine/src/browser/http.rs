//! One HTTP call with a timeout.

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::describe;

/// The relay answers a call within 30 s or not at all; a little more for the way.
const TIMEOUT_MS: u32 = 40_000;

#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
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
    let aborter = web_sys::AbortController::new().map_err(unreachable)?;
    let work = exchange(method, url, token, body, aborter.signal());
    match select(Box::pin(work), TimeoutFuture::new(TIMEOUT_MS)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), _)) => {
            aborter.abort();
            Err(HttpFault::Timeout)
        }
    }
}

async fn exchange(
    method: &str,
    url: &str,
    token: Option<&str>,
    body: Option<String>,
    signal: web_sys::AbortSignal,
) -> Result<HttpAnswer, HttpFault> {
    let headers = web_sys::Headers::new().map_err(unreachable)?;
    if let Some(token) = token {
        headers.set("Authorization", &format!("Bearer {token}")).map_err(unreachable)?;
    }
    let init = web_sys::RequestInit::new();
    init.set_method(method);
    init.set_signal(Some(&signal));
    if let Some(body) = body {
        headers.set("Content-Type", "application/json").map_err(unreachable)?;
        init.set_body(&body.into());
    }
    init.set_headers(&headers);
    let window = web_sys::window().ok_or_else(|| HttpFault::Unreachable("no window".to_owned()))?;
    let answer = JsFuture::from(window.fetch_with_str_and_init(url, &init)).await.map_err(unreachable)?;
    let answer: web_sys::Response = answer.dyn_into().map_err(unreachable)?;
    let body = JsFuture::from(answer.array_buffer().map_err(unreachable)?).await.map_err(unreachable)?;
    Ok(HttpAnswer { status: answer.status(), body: js_sys::Uint8Array::new(&body).to_vec() })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreachable(thrown: wasm_bindgen::JsValue) -> HttpFault {
    HttpFault::Unreachable(describe(&thrown))
}
