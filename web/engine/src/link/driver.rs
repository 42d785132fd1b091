//! Drives the machine of a link with a socket, a clock and the browser's events.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;

use super::machine::Effect;
use crate::browser::socket::{BROKEN, Socket, SocketEvent};
use crate::browser::{OnlineGuard, Reach, page_base, random, reach, steady_now};
use crate::clock::Steady;

/// A state machine that talks over a link.
pub(crate) trait Protocol {
    /// What it asks for besides the link's own effects.
    type Effect;

    fn tick(&mut self, now: Steady, random: f64);
    fn hurry(&mut self, now: Steady);
    fn opened(&mut self, now: Steady);
    fn message(&mut self, now: Steady, text: &str, random: f64);
    fn closed(&mut self, now: Steady, code: u16, random: f64);
    fn reached(&mut self, now: Steady, reach: Reach);
    fn take_effects(&mut self) -> Vec<Effect<Self::Effect>>;
    fn is_over(&self) -> bool;
}

/// The owner of a driver.
pub(crate) trait Client: Sized + 'static {
    type Protocol: Protocol;

    fn driver(&self) -> &Driver<Self::Protocol>;
    fn perform(self: &Rc<Self>, effect: <Self::Protocol as Protocol>::Effect);

    /// Everything that was asked for so far has been done.
    fn settled(self: &Rc<Self>) {}
}

pub(crate) struct Driver<P> {
    protocol: RefCell<P>,
    /// As an address of HTTP.
    origin: String,
    path: String,
    tick_ms: u32,
    ticked: Cell<Steady>,
    socket: RefCell<Option<Socket>>,
    /// An HTTP request is in progress to find out why a socket did not open.
    probing: Cell<bool>,
    /// Until the link has ended.
    timers: RefCell<Option<(Interval, OnlineGuard)>>,
}

impl<P: Protocol> Driver<P> {
    pub(crate) fn new(protocol: P, origin: String, path: String, tick_ms: u32) -> Self {
        Self {
            protocol: RefCell::new(protocol),
            origin,
            path,
            tick_ms,
            ticked: Cell::new(steady_now()),
            socket: RefCell::new(None),
            probing: Cell::new(false),
            timers: RefCell::new(None),
        }
    }

    pub(crate) fn protocol(&self) -> &RefCell<P> {
        &self.protocol
    }

    /// Starts the protocol's timers, unless they are running already.
    pub(crate) fn start_timers<C: Client<Protocol = P>>(client: &Rc<C>) {
        let mut timers = client.driver().timers.borrow_mut();
        if timers.is_some() {
            return;
        }
        let [ticking, online] = [(); 2].map(|()| Rc::downgrade(client));
        let interval = Interval::new(client.driver().tick_ms, move || {
            if let Some(client) = ticking.upgrade() {
                client.driver().ticked.set(steady_now());
                Self::with(&ticking, |protocol| protocol.tick(steady_now(), random()));
            }
        });
        let online = OnlineGuard::new(move || Self::with(&online, |protocol| protocol.hurry(steady_now())));
        *timers = Some((interval, online));
    }

    /// Lets time pass for the protocol if its timer is late: a hidden page's timers run once a second at most, and
    /// later once a minute.
    pub(crate) fn keep_time(&self) {
        let now = steady_now();
        let late = now.since(self.ticked.get()) >= Duration::from_millis(self.tick_ms.into());
        if late {
            self.ticked.set(now);
            self.protocol.borrow_mut().tick(now, random());
        }
    }

    /// Tells the protocol something and does what it then asks for.
    pub(crate) fn with<C: Client<Protocol = P>>(client: &Weak<C>, act: impl FnOnce(&mut P)) {
        if let Some(client) = client.upgrade() {
            act(&mut client.driver().protocol.borrow_mut());
            Self::settle(&client);
        }
    }

    /// Never inlined: every kind of event would get a copy.
    #[inline(never)]
    pub(crate) fn settle<C: Client<Protocol = P>>(client: &Rc<C>) {
        let driver = client.driver();
        loop {
            let effects = driver.protocol.borrow_mut().take_effects();
            if effects.is_empty() {
                break;
            }
            for effect in effects {
                match effect {
                    Effect::Connect => Self::connect(client),
                    Effect::Send(text) => {
                        if let Some(socket) = driver.socket.borrow().as_ref() {
                            socket.send(&text);
                        }
                    }
                    Effect::Close => drop(driver.socket.borrow_mut().take()),
                    Effect::Probe => Self::probe(client),
                    Effect::Other(effect) => client.perform(effect),
                }
            }
        }
        if driver.protocol.borrow().is_over() {
            driver.timers.borrow_mut().take();
        }
        client.settled();
    }

    fn connect<C: Client<Protocol = P>>(client: &Rc<C>) {
        let (driver, weak) = (client.driver(), Rc::downgrade(client));
        let opened = Socket::open(&driver.origin, &driver.path, move |event| {
            Self::with(&weak, |protocol| match event {
                SocketEvent::Opened => protocol.opened(steady_now()),
                SocketEvent::Text(text) => protocol.message(steady_now(), &text, random()),
                SocketEvent::Closed(code) => protocol.closed(steady_now(), code, random()),
            });
        });
        match opened {
            Ok(socket) => drop(driver.socket.borrow_mut().replace(socket)),
            // The address itself is refused; it counts as a broken connection.
            Err(_) => driver.protocol.borrow_mut().closed(steady_now(), BROKEN, random()),
        }
    }

    /// One at a time.
    fn probe<C: Client<Protocol = P>>(client: &Rc<C>) {
        if client.driver().probing.replace(true) {
            return;
        }
        let (weak, path) = (Rc::downgrade(client), client.driver().path.clone());
        spawn_local(async move {
            // Via the page's own address: its policy allows HTTP to no other.
            let reach = reach(&page_base(), &path).await;
            if let Some(client) = weak.upgrade() {
                client.driver().probing.set(false);
            }
            Self::with(&weak, |protocol| protocol.reached(steady_now(), reach));
        });
    }
}
