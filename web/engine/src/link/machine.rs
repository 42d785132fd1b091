//! The state machine of a connection to the relay: when it connects, gives up and tries again. Pure: time and chance are
//! arguments, and what has to happen is an [`Effect`]. What is said over the connection is for its owner, the sender of
//! a recording or the receiver of a watcher.

use std::time::Duration;

use mien_shared::problem::CloseCode;

use super::backoff::pause_ms;
use super::diagnosis::{Diagnosis, Trouble};
use crate::browser::Reach;
use crate::clock::Steady;

/// A connection that has not opened, or not been welcomed, by then is given up.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a link does not connect again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// Everything is sent, or the page has closed it.
    Done,
    /// The relay closed it for good.
    Closed(CloseCode),
    /// Another tab records this source now.
    TakenOver,
}

/// What has to happen. `X` is what the owner of the link asks for besides.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect<X> {
    Connect,
    Send(String),
    /// Closes the socket, with 1000; it reports nothing after that.
    Close,
    /// Asks by HTTP why a socket did not open; answered by [`Link::reached`].
    Probe,
    Other(X),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Offline {
        until: Steady,
    },
    Connecting {
        until: Steady,
    },
    /// The socket is open and the relay has not welcomed us yet.
    Greeting {
        until: Steady,
    },
    Open,
    /// Over for good: connecting again would give the same answer.
    Ended(LinkEnd),
}

#[derive(Debug)]
pub(crate) struct Link<X> {
    phase: Phase,
    /// Attempts to connect without success since the last one.
    attempt: u32,
    diagnosis: Diagnosis,
    effects: Vec<Effect<X>>,
}

impl<X> Link<X> {
    /// Connects at once.
    pub(crate) fn new(now: Steady) -> Self {
        let phase = Phase::Connecting { until: now + GREETING_TIMEOUT };
        Self { phase, attempt: 0, diagnosis: Diagnosis::default(), effects: vec![Effect::Connect] }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.diagnosis.trouble()
    }

    /// What has to happen, in order; handed out once.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect<X>> {
        std::mem::take(&mut self.effects)
    }

    pub(crate) fn push(&mut self, effect: X) {
        self.effects.push(Effect::Other(effect));
    }

    pub(crate) fn send(&mut self, text: String) {
        self.effects.push(Effect::Send(text));
    }

    pub(crate) fn tick(&mut self, now: Steady, random: f64) {
        match self.phase {
            Phase::Offline { until } if now >= until => self.connect(now),
            Phase::Connecting { until } | Phase::Greeting { until } if now >= until => {
                self.give_up_connection(now, random);
            }
            _ => {}
        }
    }

    /// There is no reason to wait any longer: the network is back, or someone asks.
    pub(crate) fn hurry(&mut self, now: Steady) {
        if let Phase::Offline { .. } = self.phase {
            self.connect(now);
        }
    }

    /// The socket is open. True if the relay is to be greeted now.
    pub(crate) fn opened(&mut self, now: Steady) -> bool {
        let expected = matches!(self.phase, Phase::Connecting { .. });
        if expected {
            self.phase = Phase::Greeting { until: now + GREETING_TIMEOUT };
        }
        expected
    }

    /// The relay has answered the greeting.
    pub(crate) fn welcomed(&mut self) {
        self.phase = Phase::Open;
        self.diagnosis.welcomed();
    }

    /// The connection has proven itself: the next pause is a short one again.
    pub(crate) fn reset_backoff(&mut self) {
        self.attempt = 0;
    }

    /// `is_known`: the session was there, so a relay that does not know it may have another store for a while.
    pub(crate) fn closed(&mut self, now: Steady, code: u16, random: f64, is_known: bool) {
        match CloseCode::from_code(code) {
            _ if self.is_over() => {}
            Some(CloseCode::SessionNotFound) if is_known => {
                self.diagnosis.unknown_session();
                self.retry(now, random);
            }
            Some(close) if !close.worth_retrying() => self.end(LinkEnd::Closed(close)),
            _ => {
                self.diagnose();
                self.retry(now, random);
            }
        }
    }

    /// The answer to [`Effect::Probe`]. It means nothing if a connection has opened since. True if it changed what is
    /// known of the trouble.
    pub(crate) fn reached(&mut self, reach: Reach) -> bool {
        if !matches!(self.phase, Phase::Offline { .. } | Phase::Connecting { .. }) {
            return false;
        }
        let before = self.diagnosis.trouble();
        self.diagnosis.reached(reach);
        self.diagnosis.trouble() != before
    }

    pub(crate) fn connect(&mut self, now: Steady) {
        self.phase = Phase::Connecting { until: now + GREETING_TIMEOUT };
        self.effects.push(Effect::Connect);
    }

    /// Replaces this connection by another one at once.
    pub(crate) fn reconnect(&mut self, now: Steady) {
        self.effects.push(Effect::Close);
        self.connect(now);
    }

    /// Connects after an end, as if for the first time.
    pub(crate) fn resume(&mut self, now: Steady) {
        self.attempt = 0;
        self.diagnosis = Diagnosis::default();
        self.connect(now);
    }

    /// Closes a connection that is of no use and tries again after a pause.
    pub(crate) fn give_up_connection(&mut self, now: Steady, random: f64) {
        self.effects.push(Effect::Close);
        self.diagnose();
        self.retry(now, random);
    }

    pub(crate) fn close(&mut self, end: LinkEnd) {
        self.effects.push(Effect::Close);
        self.end(end);
    }

    fn end(&mut self, end: LinkEnd) {
        self.phase = Phase::Ended(end);
    }

    /// The connection is gone. If it never opened, HTTP may tell why.
    fn diagnose(&mut self) {
        match self.phase {
            Phase::Connecting { .. } => self.effects.push(Effect::Probe),
            Phase::Greeting { .. } | Phase::Open => self.diagnosis.connection_lost(),
            Phase::Offline { .. } | Phase::Ended(_) => {}
        }
    }

    fn retry(&mut self, now: Steady, random: f64) {
        let pause = Duration::from_millis(pause_ms(self.attempt, random).into());
        self.phase = Phase::Offline { until: now + pause };
        self.attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Steady {
        Steady::after(Duration::from_millis(ms))
    }

    /// Opened at 0, with its effects taken.
    fn greeting() -> Link<()> {
        let mut link = Link::new(at(0));
        assert!(link.opened(at(0)));
        link.take_effects();
        link
    }

    #[test]
    fn a_greeting_without_an_answer_is_given_up() {
        let mut link = greeting();
        link.tick(at(9_999), 0.0);
        assert_eq!(link.take_effects(), []);
        link.tick(at(10_000), 0.0);
        assert_eq!(link.take_effects(), [Effect::Close], "it had opened, so HTTP need not be asked");
        assert_eq!(link.phase(), Phase::Offline { until: at(10_250) });
        link.tick(at(10_250), 0.0);
        assert_eq!(link.take_effects(), [Effect::Connect]);
        link.tick(at(20_250), 0.0);
        assert_eq!(link.take_effects(), [Effect::Close, Effect::Probe]);
        assert_eq!(link.phase(), Phase::Offline { until: at(20_750) }, "pauses grow");
    }

    #[test]
    fn an_end_is_for_good_until_it_is_resumed() {
        let mut link = greeting();
        link.closed(at(1), 4401, 0.0, true);
        assert_eq!(link.phase(), Phase::Ended(LinkEnd::Closed(CloseCode::Unauthorized)));
        link.closed(at(2), 1006, 0.0, true);
        link.tick(at(99_999), 0.0);
        link.hurry(at(99_999));
        assert!(link.is_over() && link.take_effects().is_empty());
        link.resume(at(100_000));
        assert_eq!(link.take_effects(), [Effect::Connect]);
    }

    #[test]
    fn a_socket_that_opens_late_is_not_greeted() {
        let mut link = greeting();
        link.closed(at(1), 1006, 0.0, true);
        assert!(!link.opened(at(2)));
        assert!(matches!(link.phase(), Phase::Offline { .. }));
    }
}
