//! The live view of a session.
//!
//! The machine that decides (`Link`) is pure; `Watch` joins it with socket and clock. What a watcher has seen
//! stands in `since`, so that a connection after a cut goes on where the last one ended.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use gloo_timers::callback::Interval;
use mien_shared::limits::SILENCE;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{WatchReply, WatchRequest};
use mien_shared::{Sample, SessionId, SessionStatus, SourceName};

use crate::backoff::pause_ms;
use crate::browser::socket::{BROKEN, Socket, SocketEvent};
use crate::browser::{OnlineGuard, now_precise_ms, random};

/// A connection that has not opened and welcomed us by then is given up.
const GREETING_MS: u64 = 10_000;
/// A live line without a message for so long is dead. The relay says who is there well before that where nothing
/// else is to be said; a page sees no pings, and a line that was cut without a word looks like an idle one.
const SILENCE_MS: u64 = SILENCE.as_secs() * 1_000;
const TICK_MS: u32 = 250;

/// Where a watcher's link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchState {
    Connecting,
    Live,
    /// Connects again by itself, from where it was.
    Offline {
        retry_in_ms: u32,
    },
    /// The session is over, or the relay refused for good.
    Ended(CloseCode),
}

#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    State(WatchState),
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
    /// `since`: the last seq seen of each source; an empty map for everything. "Live from now" is not on offer:
    /// cut off before its first sample, such a watcher could not say where it began, and would miss some.
    pub fn open(
        relay_origin: &str,
        session: SessionId,
        token: &str,
        since: BTreeMap<SourceName, u64>,
        on: impl Fn(WatchEvent) + 'static,
    ) -> Self {
        let shared = Rc::new(Shared {
            origin: relay_origin.to_owned(),
            session,
            link: RefCell::new(Link::new(token.to_owned(), since, steady_ms())),
            socket: RefCell::new(None),
            on: Box::new(on),
            guards: RefCell::new(None),
        });
        let (ticking, online) = (Rc::downgrade(&shared), Rc::downgrade(&shared));
        let interval =
            Interval::new(TICK_MS, move || Shared::with(&ticking, |link| link.tick(steady_ms(), random())));
        let guard = OnlineGuard::new(move || Shared::with(&online, |link| link.online(steady_ms())));
        *shared.guards.borrow_mut() = Some((interval, guard));
        // Not before the caller has the handle: events may come at once.
        let starting = Rc::downgrade(&shared);
        wasm_bindgen_futures::spawn_local(async move { Shared::with(&starting, |_| {}) });
        Self { shared }
    }

    /// The last seq seen of each source.
    pub fn since(&self) -> BTreeMap<SourceName, u64> {
        self.shared.link.borrow().since.clone()
    }
}

/// All times of a link are the monotonic clock's.
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
            let effects = std::mem::take(&mut shared.link.borrow_mut().effects);
            if effects.is_empty() {
                break;
            }
            for effect in effects {
                shared.perform(effect);
            }
        }
        if let Phase::Ended(_) = shared.link.borrow().phase {
            shared.guards.borrow_mut().take();
        }
    }

    fn perform(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Connect => {
                let weak = Rc::downgrade(self);
                let path = format!("/api/v1/sessions/{}/watch", self.session);
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
        }
    }
}

#[derive(Debug, PartialEq)]
enum Effect {
    Connect,
    Send(String),
    Close,
    Tell(WatchEvent),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Offline { until: u64 },
    Connecting { until: u64 },
    Live { until: u64 },
    Ended(CloseCode),
}

#[derive(Debug)]
struct Link {
    token: String,
    /// The last seq seen of each source.
    since: BTreeMap<SourceName, u64>,
    phase: Phase,
    attempt: u32,
    effects: Vec<Effect>,
}

impl Link {
    fn new(token: String, since: BTreeMap<SourceName, u64>, now: u64) -> Self {
        let mut link =
            Self { token, since, phase: Phase::Offline { until: now }, attempt: 0, effects: Vec::new() };
        link.connect(now);
        link
    }

    fn tick(&mut self, now: u64, random: f64) {
        match self.phase {
            Phase::Offline { until } if now >= until => self.connect(now),
            Phase::Connecting { until } | Phase::Live { until } if now >= until => {
                self.effects.push(Effect::Close);
                self.retry(now, random);
            }
            _ => {}
        }
    }

    fn online(&mut self, now: u64) {
        if let Phase::Offline { .. } = self.phase {
            self.connect(now);
        }
    }

    fn opened(&mut self, now: u64) {
        self.phase = Phase::Connecting { until: now + GREETING_MS };
        let hello = WatchRequest::Hello { token: &self.token, since: Some(&self.since) };
        if let Ok(text) = serde_json::to_string(&hello) {
            self.effects.push(Effect::Send(text));
        }
    }

    fn message(&mut self, now: u64, text: &str) {
        if let Phase::Live { until } = &mut self.phase {
            *until = now + SILENCE_MS;
        }
        // What is no message of the contract is ignored: the contract may grow.
        let Ok(reply) = serde_json::from_str::<WatchReply>(text) else { return };
        match reply {
            WatchReply::Welcome(welcome) => {
                self.attempt = 0;
                self.phase = Phase::Live { until: now + SILENCE_MS };
                self.tell(WatchEvent::State(WatchState::Live));
                self.tell(WatchEvent::Presence { sources: welcome.sources, watchers: welcome.watchers });
                self.tell(WatchEvent::Session { status: welcome.status });
            }
            WatchReply::Samples { source, samples } => self.samples(source, samples),
            WatchReply::Presence { sources, watchers } => {
                self.tell(WatchEvent::Presence { sources, watchers });
            }
            WatchReply::Session { status } => self.tell(WatchEvent::Session { status }),
            // Only a message of ours can be at fault, and there is one: the close that follows decides.
            WatchReply::Error { .. } => {}
        }
    }

    /// The relay sends each sample once; across a reconnect this is what makes it sure.
    fn samples(&mut self, source: SourceName, mut samples: Vec<Sample>) {
        let seen = self.since.entry(source.clone()).or_default();
        samples.retain(|sample| {
            let fresh = sample.seq > *seen;
            *seen = sample.seq.max(*seen);
            fresh
        });
        if !samples.is_empty() {
            self.tell(WatchEvent::Samples { source, samples });
        }
    }

    fn closed(&mut self, now: u64, code: u16, random: f64) {
        match CloseCode::from_code(code) {
            Some(close) if !close.worth_retrying() => {
                self.phase = Phase::Ended(close);
                self.tell(WatchEvent::State(WatchState::Ended(close)));
            }
            _ => self.retry(now, random),
        }
    }

    fn connect(&mut self, now: u64) {
        self.phase = Phase::Connecting { until: now + GREETING_MS };
        self.effects.push(Effect::Connect);
        self.tell(WatchEvent::State(WatchState::Connecting));
    }

    fn retry(&mut self, now: u64, random: f64) {
        let retry_in_ms = pause_ms(self.attempt, random);
        self.attempt += 1;
        self.phase = Phase::Offline { until: now + u64::from(retry_in_ms) };
        self.tell(WatchEvent::State(WatchState::Offline { retry_in_ms }));
    }

    fn tell(&mut self, event: WatchEvent) {
        self.effects.push(Effect::Tell(event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seqs(link: &mut Link) -> Vec<u64> {
        std::mem::take(&mut link.effects)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Tell(WatchEvent::Samples { samples, .. }) => Some(samples),
                _ => None,
            })
            .flatten()
            .map(|sample| sample.seq)
            .collect()
    }

    fn said(link: &Link, text: &str) -> bool {
        link.effects.contains(&Effect::Send(text.to_owned()))
    }

    fn samples(seqs: &[u64]) -> String {
        let samples: Vec<Sample> = seqs.iter().map(|&seq| Sample::new(seq, seq, Vec::new())).collect();
        let reply = WatchReply::Samples { source: SourceName::default(), samples };
        serde_json::to_string(&reply).unwrap()
    }

    #[test]
    fn a_sample_comes_once_over_a_cut_and_the_next_hello_names_the_last() {
        let mut link = Link::new("t".to_owned(), BTreeMap::new(), 0);
        link.opened(0);
        assert!(said(&link, r#"{"type":"hello","token":"t","since":{}}"#));
        link.message(1, &samples(&[5, 6]));
        assert_eq!(seqs(&mut link), [5, 6]);
        link.closed(10, 1006, 0.0);
        assert_eq!(link.phase, Phase::Offline { until: 260 });
        link.tick(260, 0.0);
        link.opened(261);
        assert!(said(&link, r#"{"type":"hello","token":"t","since":{"main":6}}"#));
        link.message(262, &samples(&[6, 7]));
        assert_eq!(seqs(&mut link), [7]);
    }

    #[test]
    fn a_cut_before_the_first_sample_moves_nothing() {
        let begin = BTreeMap::from([(SourceName::default(), 40)]);
        let hello = r#"{"type":"hello","token":"t","since":{"main":40}}"#;
        let mut link = Link::new("t".to_owned(), begin, 0);
        link.opened(0);
        assert!(said(&link, hello));
        link.effects.clear();
        link.closed(10, 1006, 0.0);
        link.tick(10_000, 0.0);
        link.opened(10_001);
        assert!(said(&link, hello));
        // Stored while nobody watched.
        link.message(10_002, &samples(&[41, 42]));
        assert_eq!(seqs(&mut link), [41, 42]);
    }

    #[test]
    fn a_live_line_that_has_gone_silent_is_connected_again() {
        let welcome = r#"{"type":"welcome","session":"0195f0a2-7b9e-7c4f-8000-000000000000","status":"active",
            "expressions":[],"sources":[],"watchers":1}"#;
        let mut link = Link::new("t".to_owned(), BTreeMap::new(), 0);
        link.opened(0);
        link.message(1_000, welcome);
        assert_eq!(link.phase, Phase::Live { until: 61_000 });
        link.message(50_000, r#"{"type":"presence","sources":[],"watchers":1}"#);
        link.tick(61_000, 0.0);
        assert_eq!(link.phase, Phase::Live { until: 110_000 });
        link.effects.clear();
        link.tick(110_000, 0.0);
        assert_eq!(link.phase, Phase::Offline { until: 110_250 });
        assert_eq!(link.effects[0], Effect::Close);
        link.tick(110_250, 0.0);
        assert!(link.effects.contains(&Effect::Connect));
    }

    #[test]
    fn a_refusal_for_good_is_not_asked_again() {
        let mut link = Link::new("t".to_owned(), BTreeMap::new(), 0);
        link.closed(0, 4401, 0.0);
        link.tick(1_000_000, 0.0);
        link.online(1_000_000);
        assert_eq!(link.phase, Phase::Ended(CloseCode::Unauthorized));
    }
}
