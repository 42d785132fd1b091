//! A WebSocket of `mien.v1`, as events.

use gloo_events::EventListener;
use mien_shared::protocol::SUBPROTOCOL;
use wasm_bindgen::JsCast;

use super::error::describe;

/// The close code of a connection that broke or never opened.
pub(crate) const BROKEN: u16 = 1006;

#[derive(Debug)]
pub(crate) enum SocketEvent {
    Opened,
    Text(String),
    Closed(u16),
}

/// An open or opening socket. Dropping it closes it with 1000; after that no event comes.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: web_sys::WebSocket,
    _listeners: [EventListener; 3],
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Fails only for a code outside the allowed ones.
        let _ = self.socket.close_with_code(1000);
    }
}

impl Socket {
    /// `origin` is an HTTP one; the socket's scheme follows from it.
    pub(crate) fn open(
        origin: &str,
        path: &str,
        on: impl Fn(SocketEvent) + Clone + 'static,
    ) -> Result<Self, String> {
        let url = format!("{}{path}", socket_origin(origin));
        let socket =
            web_sys::WebSocket::new_with_str(&url, SUBPROTOCOL).map_err(|thrown| describe(&thrown))?;
        let (opened, heard) = (on.clone(), on.clone());
        let listeners = [
            EventListener::new(&socket, "open", move |_| opened(SocketEvent::Opened)),
            EventListener::new(&socket, "message", move |event| {
                let data = event.dyn_ref::<web_sys::MessageEvent>().map(web_sys::MessageEvent::data);
                if let Some(text) = data.and_then(|data| data.as_string()) {
                    heard(SocketEvent::Text(text));
                }
            }),
            EventListener::new(&socket, "close", move |event| {
                let code = event.dyn_ref::<web_sys::CloseEvent>().map_or(BROKEN, web_sys::CloseEvent::code);
                on(SocketEvent::Closed(code));
            }),
        ];
        Ok(Self { socket, _listeners: listeners })
    }

    /// A socket that cannot send is about to report that it has closed.
    pub(crate) fn send(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }
}

fn socket_origin(origin: &str) -> String {
    let origin = origin.trim_end_matches('/');
    match origin.strip_prefix("http") {
        Some(rest) => format!("ws{rest}"),
        None => origin.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_follows_the_origins() {
        assert_eq!(socket_origin("http://127.0.0.1:8080/"), "ws://127.0.0.1:8080");
        assert_eq!(socket_origin("https://mien.example"), "wss://mien.example");
    }
}
