//! The live view of a session.
//!
//! The machine that decides ([`link`]) is pure, and so is its measure of what is live and what is history
//! ([`pace`]); `Watch` joins them with socket and clock. What a watcher has seen stands in `since`, so that a
//! connection after a cut goes on where the last one ended.
//!
//! Whoever joins a session of hours does not begin at its start. A first, short connection asks for nothing but what
//! is new; its welcome says how far each source has come (`throughs`), and the connection that then stays begins
//! some thousand samples before that. What came earlier is for the HTTP interface, where somebody wants it. Of a
//! session that has just begun (its id has the time) all is asked for at once, and one connection is enough.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use gloo_timers::callback::Interval;
use mien_shared::problem::CloseCode;
use mien_shared::{Sample, SessionId, SessionStatus, SourceName};

use super::pace::SourcePace;
use super::receiver::{Effect, Link};
use crate::browser::socket::{BROKEN, Socket, SocketEvent};
use crate::browser::{OnlineGuard, now_precise_ms, page_base, random, reach, wall_now};
use crate::link::Trouble;

const TICK_MS: u32 = 250;
/// A session younger than this has hardly more samples than a watcher begins with.
const YOUNG_MS: u64 = 2 * 60_000;

/// Where a watcher begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// A few minutes before the end.
    Recent,
    /// After the last seq seen of each source; a source that is not named begins at its start.
    After(BTreeMap<SourceName, u64>),
}

/// How far what is shown is behind what is stored, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    pub ms: u64,
    /// The most that it was since it was live.
    pub most_ms: u64,
}

/// Where a watcher's link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchState {
    Connecting,
    /// Samples come that are not of now. How far behind they are is not known at once.
    CatchingUp(Option<Behind>),
    /// At least one source shows what is now, and none is behind.
    Live,
    /// Connected, and all that there is was seen: no source sends anything now.
    Quiet,
    /// Connects again by itself, from where it was.
    Offline {
        retry_in_ms: u32,
        /// What keeps it from the relay, where that is known.
        trouble: Option<Trouble>,
    },
    /// The session is over, or the relay refused for good.
    Ended(CloseCode),
}

#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    State(WatchState),
    /// What the newest sample of a source is, while connected; told before the samples that it speaks of.
    Pace {
        source: SourceName,
        pace: SourcePace,
    },
    /// In order of seq within the source, each sample once, also over a reconnect.
    Samples {
        source: SourceName,
        samples: Vec<Sample>,
    },
    /// Sources and watchers connected now, oneself included.
    Presence {
        sources: Vec<SourceName>,
        watchers: u64,
    },
    Session {
        status: SessionStatus,
    },
}

/// A link that watches. Dropping it closes the link.
#[derive(Debug)]
pub struct Watch {
    shared: Rc<Shared>,
}

impl Watch {
    /// Connects at once and, after a cut, again by itself until it is over or dropped.
    pub fn open(
        relay_origin: &str,
        session: SessionId,
        token: &str,
        begin: Begin,
        on: impl Fn(WatchEvent) + 'static,
    ) -> Self {
        let shared = Rc::new(Shared {
            origin: relay_origin.to_owned(),
            session,
            link: RefCell::new(Link::new(
                token.to_owned(),
                begin,
                is_young(session, wall_now().0),
                steady_ms(),
            )),
            socket: RefCell::new(None),
            on: Box::new(on),
            guards: RefCell::new(None),
            probing: Cell::new(false),
        });
        let (ticking, online) = (Rc::downgrade(&shared), Rc::downgrade(&shared));
        let interval =
            Interval::new(TICK_MS, move || Shared::with(&ticking, |link| link.tick(steady_ms(), random())));
        let guard = OnlineGuard::new(move || Shared::with(&online, |link| link.hurry(steady_ms())));
        *shared.guards.borrow_mut() = Some((interval, guard));
        // Not before the caller has the handle: events may come at once.
        let starting = Rc::downgrade(&shared);
        wasm_bindgen_futures::spawn_local(async move { Shared::with(&starting, |_| {}) });
        Self { shared }
    }

    /// Where a watcher that takes this one's place begins.
    pub fn place(&self) -> Begin {
        self.shared.link.borrow().place()
    }

    /// Connects now, where it waits before it tries again.
    pub fn hurry(&self) {
        Shared::with(&Rc::downgrade(&self.shared), |link| link.hurry(steady_ms()));
    }
}

/// The upper 48 bits of a UUIDv7 are the time of its making, Unix milliseconds.
pub(super) fn is_young(session: SessionId, now_ms: u64) -> bool {
    let made_ms = u64::try_from(session.0.as_u128() >> 80).unwrap_or(0);
    now_ms.saturating_sub(made_ms) < YOUNG_MS
}

fn steady_ms() -> u64 {
    now_precise_ms() as u64
}

struct Shared {
    origin: String,
    session: SessionId,
    link: RefCell<Link>,
    socket: RefCell<Option<Socket>>,
    on: Box<dyn Fn(WatchEvent)>,
    guards: RefCell<Option<(Interval, OnlineGuard)>>,
    /// Whether HTTP is being asked why a socket did not open.
    probing: Cell<bool>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watch({})", self.session)
    }
}

impl Shared {
    fn with(weak: &Weak<Self>, act: impl FnOnce(&mut Link)) {
        let Some(shared) = weak.upgrade() else { return };
        act(&mut shared.link.borrow_mut());
        loop {
            let effects = shared.link.borrow_mut().take_effects();
            if effects.is_empty() {
                break;
            }
            for effect in effects {
                shared.perform(effect);
            }
        }
        if shared.link.borrow().has_ended() {
            shared.guards.borrow_mut().take();
        }
    }

    fn perform(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Connect => {
                let (weak, path) = (Rc::downgrade(self), self.path());
                let opened = Socket::open(&self.origin, &path, move |event| {
                    Self::with(&weak, |link| match event {
                        SocketEvent::Opened => link.opened(steady_ms()),
                        SocketEvent::Text(text) => link.message(steady_ms(), &text),
                        SocketEvent::Closed(code) => link.closed(steady_ms(), code, random()),
                    });
                });
                match opened {
                    Ok(socket) => drop(self.socket.borrow_mut().replace(socket)),
                    Err(_) => self.link.borrow_mut().closed(steady_ms(), BROKEN, random()),
                }
            }
            Effect::Send(text) => {
                if let Some(socket) = self.socket.borrow().as_ref() {
                    socket.send(&text);
                }
            }
            Effect::Close => drop(self.socket.borrow_mut().take()),
            Effect::Tell(event) => (self.on)(event),
            Effect::Probe => self.probe(),
        }
    }

    fn path(&self) -> String {
        format!("/api/v1/sessions/{}/watch", self.session)
    }

    /// One at a time.
    fn probe(self: &Rc<Self>) {
        if self.probing.replace(true) {
            return;
        }
        let (weak, path) = (Rc::downgrade(self), self.path());
        wasm_bindgen_futures::spawn_local(async move {
            // By way of the page's own address: its policy lets it speak to no other by HTTP.
            let reach = reach(&page_base(), &path).await;
            if let Some(shared) = weak.upgrade() {
                shared.probing.set(false);
            }
            Self::with(&weak, |link| link.reached(steady_ms(), reach));
        });
    }
}
