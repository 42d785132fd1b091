//! Why the relay cannot be connected to, if more is known than that it is away.
//!
//! Browsers do not tell a page why a socket did not open. If one does not, the page asks by HTTP at the same address
//! ([`crate::browser::reach`]), and this tells what both results mean together. Pure.

use crate::browser::Reach;

/// What keeps a link from its relay. It keeps trying, as each of these may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The relay answers and does not know the session: it has another store, or the session never existed.
    UnknownSession,
    /// HTTP gets through to the relay, and WebSockets do not.
    SocketsBlocked,
    /// Something in front of the relay asks for a password of its own.
    ProxyPassword,
    /// The relay refuses the origin of this page.
    ForeignOrigin,
}

/// Consecutive sockets that do not open while HTTP gets through, before sockets count as blocked. A relay that has just
/// come back, or has no room for a moment, looks the same once.
const BLOCKED_AFTER: u32 = 3;

/// What is known of a link's trouble, until the relay welcomes a connection.
#[derive(Debug, Default)]
pub(super) struct Diagnosis {
    unopened: u32,
    trouble: Option<Trouble>,
}

impl Diagnosis {
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// A connection is welcomed: nothing is wrong any more.
    pub(super) fn welcomed(&mut self) {
        *self = Self::default();
    }

    /// The relay itself said that it does not know the session.
    pub(super) fn unknown_session(&mut self) {
        *self = Self { unopened: 0, trouble: Some(Trouble::UnknownSession) };
    }

    /// A connection broke that had been open, so sockets do get through.
    pub(super) fn connection_lost(&mut self) {
        self.unopened = 0;
        if self.trouble != Some(Trouble::UnknownSession) {
            self.trouble = None;
        }
    }

    /// What HTTP found after a socket did not open.
    pub(super) fn reached(&mut self, reach: Reach) {
        let found = match reach {
            Reach::Relay => {
                self.unopened += 1;
                (self.unopened >= BLOCKED_AFTER).then_some(Trouble::SocketsBlocked)
            }
            Reach::ForeignOrigin => Some(Trouble::ForeignOrigin),
            Reach::ProxyPassword => Some(Trouble::ProxyPassword),
            Reach::Nobody => {
                self.unopened = 0;
                // The relay is simply away now.
                self.trouble = None;
                return;
            }
        };
        self.trouble = found.or(self.trouble);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_blocked_when_none_opens_and_http_gets_through() {
        let mut diagnosis = Diagnosis::default();
        for _ in 1..BLOCKED_AFTER {
            diagnosis.reached(Reach::Relay);
            assert_eq!(diagnosis.trouble(), None, "it may be an accident");
        }
        diagnosis.reached(Reach::Relay);
        assert_eq!(diagnosis.trouble(), Some(Trouble::SocketsBlocked));
        diagnosis.welcomed();
        assert_eq!(diagnosis.trouble(), None);
        diagnosis.reached(Reach::Relay);
        assert_eq!(diagnosis.trouble(), None, "it counts anew");
    }

    #[test]
    fn a_relay_that_comes_and_goes_is_away_and_not_blocked() {
        let mut diagnosis = Diagnosis::default();
        for _ in 0..9 {
            diagnosis.reached(Reach::Relay);
            diagnosis.reached(Reach::Nobody);
            assert_eq!(diagnosis.trouble(), None);
        }
        diagnosis.reached(Reach::Relay);
        diagnosis.connection_lost();
        diagnosis.reached(Reach::Relay);
        diagnosis.reached(Reach::Relay);
        assert_eq!(diagnosis.trouble(), None, "one opened in between");
    }

    #[test]
    fn an_answer_that_says_why_counts_at_once_and_the_newest_stands() {
        let mut diagnosis = Diagnosis::default();
        diagnosis.unknown_session();
        assert_eq!(diagnosis.trouble(), Some(Trouble::UnknownSession));
        diagnosis.connection_lost();
        assert_eq!(diagnosis.trouble(), Some(Trouble::UnknownSession), "its close follows the word");
        diagnosis.reached(Reach::ProxyPassword);
        assert_eq!(diagnosis.trouble(), Some(Trouble::ProxyPassword));
        diagnosis.reached(Reach::ForeignOrigin);
        assert_eq!(diagnosis.trouble(), Some(Trouble::ForeignOrigin));
        diagnosis.reached(Reach::Nobody);
        assert_eq!(diagnosis.trouble(), None);
    }
}
