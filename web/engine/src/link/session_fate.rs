//! Whether a session that HTTP does not find was erased or never there: both are 404 by HTTP, and a socket tells.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use mien_shared::SessionId;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::WatchRequest;

use crate::browser::socket::{Socket, SocketEvent};

/// A relay that answers HTTP answers this as fast.
const PATIENCE_MS: u32 = 5_000;

/// What a relay says of a session, by a socket that watches for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was erased: this relay knew it.
    Erased,
    /// This relay has never heard of it.
    Unknown,
    /// It is there, or that cannot be found out.
    Unclear,
}

/// `token`: one that may watch the session.
pub async fn standing(relay_base: &str, session: SessionId, token: &str) -> Standing {
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
                Some(CloseCode::SessionEnded) => Standing::Erased,
                Some(CloseCode::SessionNotFound) => Standing::Unknown,
                _ => Standing::Unclear,
            },
            // A welcome.
            SocketEvent::Text(_) => Standing::Unclear,
        };
        if let Some(tell) = tell.take() {
            // Whoever asked may have lost patience.
            let _ = tell.send(found);
        }
    };
    match Socket::open(relay_base, &format!("/api/v1/sessions/{session}/watch"), on) {
        Ok(opened) => drop(socket.borrow_mut().replace(opened)),
        Err(_) => return Standing::Unclear,
    }
    let found = match select(told, TimeoutFuture::new(PATIENCE_MS)).await {
        Either::Left((Ok(found), _)) => found,
        Either::Left((Err(_), _)) | Either::Right(_) => Standing::Unclear,
    };
    // Its callback holds it.
    drop(socket.borrow_mut().take());
    found
}
