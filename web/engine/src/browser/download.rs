//! HTTP responses, chunk by chunk. A body may take as long as it likes while bytes still come; a line that has gone silent
//! is given up.

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Bytes that have not come by then will not: TCP has retried several times.
pub(crate) const SILENCE_MS: u32 = 30_000;

/// Why a response is incomplete.
#[derive(Debug)]
pub(crate) enum Cut {
    Silent,
    Broken(JsValue),
}

/// A response whose head has arrived.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) response: web_sys::Response,
    aborter: web_sys::AbortController,
    silence_ms: u32,
}

impl Download {
    /// Waits for the head for `timeout_ms`.
    pub(crate) async fn begin(url: &str, init: &web_sys::RequestInit, timeout_ms: u32) -> Result<Self, Cut> {
        let aborter = web_sys::AbortController::new().map_err(Cut::Broken)?;
        init.set_signal(Some(&aborter.signal()));
        let window = web_sys::window().ok_or_else(|| Cut::Broken("no window".into()))?;
        let asked = window.fetch_with_str_and_init(url, init);
        let response = in_time(asked, timeout_ms, &aborter).await?.dyn_into().map_err(Cut::Broken)?;
        Ok(Self { response, aborter, silence_ms: SILENCE_MS })
    }

    /// A clone: what is read from one is not missing in the other.
    pub(crate) fn twin(&self) -> Result<Self, Cut> {
        let response = self.response.clone().map_err(Cut::Broken)?;
        Ok(Self { response, aborter: self.aborter.clone(), silence_ms: self.silence_ms })
    }

    /// Abandons the body.
    pub(crate) fn leave(self) {
        self.aborter.abort();
    }

    /// Reads the body to its end.
    pub(crate) async fn pieces(&self, mut on_piece: impl FnMut(&Uint8Array)) -> Result<(), Cut> {
        let Some(body) = self.response.body() else { return Ok(()) };
        let reader: web_sys::ReadableStreamDefaultReader =
            body.get_reader().dyn_into().map_err(|other| Cut::Broken(other.into()))?;
        loop {
            let piece = in_time(reader.read(), self.silence_ms, &self.aborter).await?;
            let read = |name: &str| Reflect::get(&piece, &name.into()).map_err(Cut::Broken);
            if read("done")?.is_truthy() {
                return Ok(());
            }
            on_piece(&read("value")?.dyn_into().map_err(Cut::Broken)?);
        }
    }

    /// The whole body. `on_bytes` is told how many more have come, after each chunk.
    pub(crate) async fn bytes(&self, on_bytes: impl Fn(u64)) -> Result<Vec<u8>, Cut> {
        let mut all = Vec::new();
        self.pieces(|piece| {
            let before = all.len();
            all.resize(before + piece.length() as usize, 0);
            piece.copy_to(&mut all[before..]);
            on_bytes(u64::from(piece.length()));
        })
        .await?;
        Ok(all)
    }
}

/// The promise's value, unless it takes too long; the request is then aborted.
async fn in_time(
    promise: Promise,
    timeout_ms: u32,
    aborter: &web_sys::AbortController,
) -> Result<JsValue, Cut> {
    match select(JsFuture::from(promise), TimeoutFuture::new(timeout_ms)).await {
        Either::Left((answer, _)) => answer.map_err(Cut::Broken),
        Either::Right(((), _)) => {
            aborter.abort();
            Err(Cut::Silent)
        }
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use js_sys::Function;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    /// A response of this many bytes, one every 40 ms, which then ends or goes silent.
    fn trickle(bytes: u32, ends: bool) -> Download {
        let script = format!(
            "let left = {bytes};
            const pull = async (to) => {{
              await new Promise((done) => setTimeout(done, 40));
              if (left-- > 0) to.enqueue(new Uint8Array([7]));
              else if ({ends}) to.close();
              else await new Promise(() => {{}});
            }};
            return new Response(new ReadableStream({{ pull }}));"
        );
        let response = Function::new_no_args(&script).call0(&JsValue::NULL).expect("a response");
        let aborter = web_sys::AbortController::new().expect("an aborter");
        Download { response: response.unchecked_into(), aborter, silence_ms: 200 }
    }

    #[wasm_bindgen_test]
    async fn a_slow_body_comes_whole_however_long_it_takes() {
        let bytes = trickle(12, true).bytes(|_| {}).await.expect("a body");
        assert_eq!(bytes, [7; 12]);
    }

    #[wasm_bindgen_test]
    async fn a_body_that_stops_coming_is_given_up() {
        let stalled = trickle(2, false);
        assert!(matches!(stalled.bytes(|_| {}).await, Err(Cut::Silent)));
        assert!(stalled.aborter.signal().aborted());
    }
}
