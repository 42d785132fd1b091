//! Whether a session that HTTP does not find was erased or never existed: HTTP answers 404 to both, a socket tells.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use mien_shared::SessionId;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::WatchRequest;

use crate::browser::socket::{Socket, SocketEvent};

/// A relay that answers HTTP answers this just as fast.
const TIMEOUT_MS: u32 = 5_000;

/// What became of a session, as the relay tells a socket that watches for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionFate {
    /// This relay knew it, and it was erased.
    Erased,
    /// This relay has never heard of it.
    Unknown,
    /// It exists, or that could not be found out.
    Unclear,
}

/// `token` must allow watching the session.
pub async fn session_fate(relay_base: &str, session: SessionId, token: &str) -> SessionFate {
    let (tell, told) = oneshot::channel();
    let tell = Rc::new(Cell::new(Some(tell)));
    let socket = Rc::new(RefCell::new(None::<Socket>));
    let hello = serde_json::to_string(&WatchRequest::Hello { token, since: None }).unwrap_or_default();
    let asking = socket.clone();
    let on = move |event| {
        let found = match event {
            SocketEvent::Opened => {
                if let Some(socket) = asking.borrow().as_ref() {
                    socket.send(&hello);
                }
                return;
            }
            SocketEvent::Closed(code) => match CloseCode::from_code(code) {
                Some(CloseCode::SessionEnded) => SessionFate::Erased,
                Some(CloseCode::SessionNotFound) => SessionFate::Unknown,
                _ => SessionFate::Unclear,
            },
            // A welcome.
            SocketEvent::Text(_) => SessionFate::Unclear,
        };
        if let Some(tell) = tell.take() {
            // The caller may have timed out.
            let _ = tell.send(found);
        }
    };
    match Socket::open(relay_base, &format!("/api/v1/sessions/{session}/watch"), on) {
        Ok(opened) => drop(socket.borrow_mut().replace(opened)),
        Err(_) => return SessionFate::Unclear,
    }
    let found = match select(told, TimeoutFuture::new(TIMEOUT_MS)).await {
        Either::Left((Ok(found), _)) => found,
        Either::Left((Err(_), _)) | Either::Right(_) => SessionFate::Unclear,
    };
    // Breaks the cycle: its callback holds it.
    drop(socket.borrow_mut().take());
    found
}
