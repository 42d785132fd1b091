//! What the embedder holds of a watcher.

use std::rc::Rc;

use mien_shared::SessionId;
use wasm_bindgen_futures::spawn_local;

use super::event::{Begin, WatchEvent};
use super::receiver::Receiver;
use crate::browser::{steady_now, wall_now};
use crate::link::{Client, Driver, Protocol};

const TICK_MS: u32 = 250;
/// A younger session has hardly more samples than a watcher begins with.
const YOUNG_MS: u64 = 2 * 60_000;

/// A link that watches. Dropping it closes the link.
#[derive(Debug)]
pub struct Watch {
    shared: Rc<Shared>,
}

impl Watch {
    /// Connects at once and reconnects after a cut, until the session is over or this is dropped.
    pub fn open(
        relay_origin: &str,
        session: SessionId,
        token: &str,
        begin: Begin,
        on: impl Fn(WatchEvent) + 'static,
    ) -> Self {
        let is_young = is_young(session, wall_now().0);
        let receiver = Receiver::new(token.to_owned(), begin, is_young, steady_now());
        let path = format!("/api/v1/sessions/{session}/watch");
        let driver = Driver::new(receiver, relay_origin.to_owned(), path, TICK_MS);
        let shared = Rc::new(Shared { session, driver, on: Box::new(on) });
        Driver::start_timers(&shared);
        // Not synchronously: the caller must have the handle before the first event.
        let starting = Rc::downgrade(&shared);
        spawn_local(async move {
            if let Some(shared) = starting.upgrade() {
                Driver::settle(&shared);
            }
        });
        Self { shared }
    }

    /// Where a watcher that replaces this one is to begin.
    pub fn place(&self) -> Begin {
        self.shared.driver.protocol().borrow().place()
    }

    /// Reconnects now instead of after the pause.
    pub fn hurry(&self) {
        Driver::with(&Rc::downgrade(&self.shared), |receiver| receiver.hurry(steady_now()));
    }
}

/// The upper 48 bits of a UUIDv7 are the time of its creation, Unix milliseconds.
pub(super) fn is_young(session: SessionId, now_ms: u64) -> bool {
    let created_ms = u64::try_from(session.0.as_u128() >> 80).unwrap_or(0);
    now_ms.saturating_sub(created_ms) < YOUNG_MS
}

struct Shared {
    session: SessionId,
    driver: Driver<Receiver>,
    on: Box<dyn Fn(WatchEvent)>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watch({})", self.session)
    }
}

impl Client for Shared {
    type Protocol = Receiver;

    fn driver(&self) -> &Driver<Receiver> {
        &self.driver
    }

    fn perform(self: &Rc<Self>, event: WatchEvent) {
        (self.on)(event);
    }
}
