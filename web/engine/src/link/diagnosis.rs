//! Why a relay is not connected to, where more is known than that it is away.
//!
//! A browser tells a page nothing of why a socket did not open. So where one does not, the page asks by HTTP at the
//! very same address ([`crate::browser::reach`]), and this tells what both together mean. Pure.

use crate::browser::Reach;

/// What keeps a link from its relay. It goes on trying: each of these may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The relay answers, and does not know the session: its store is another one, or the session was never there.
    UnknownSession,
    /// HTTP gets through to the relay, and WebSockets do not.
    SocketsBlocked,
    /// Something in front of the relay asks for a password of its own.
    ProxyPassword,
    /// The relay takes nothing from the address at which this page is open.
    ForeignOrigin,
}

/// Sockets that do not open while HTTP gets through, in a row, before that counts as no accident. A relay that has
/// just come back, or has no room for a moment, looks the same once.
const NO_ACCIDENT: u32 = 3;

/// What is known of a link's trouble, until a connection is welcomed.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    unopened: u32,
    trouble: Option<Trouble>,
}

impl Doubt {
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// All is well.
    pub(crate) fn welcomed(&mut self) {
        *self = Self::default();
    }

    /// The relay itself has said that it does not know the session.
    pub(crate) fn unknown_session(&mut self) {
        *self = Self { unopened: 0, trouble: Some(Trouble::UnknownSession) };
    }

    /// A connection broke that had been open: sockets get through.
    pub(crate) fn broke(&mut self) {
        self.unopened = 0;
        if self.trouble != Some(Trouble::UnknownSession) {
            self.trouble = None;
        }
    }

    /// What HTTP came to after a socket did not open.
    pub(crate) fn reached(&mut self, reach: Reach) {
        let found = match reach {
            Reach::Relay => {
                self.unopened += 1;
                (self.unopened >= NO_ACCIDENT).then_some(Trouble::SocketsBlocked)
            }
            Reach::ForeignOrigin => Some(Trouble::ForeignOrigin),
            Reach::ProxyPassword => Some(Trouble::ProxyPassword),
            Reach::Nobody => {
                self.unopened = 0;
                // Away by now, and nothing more.
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
        let mut doubt = Doubt::default();
        for _ in 1..NO_ACCIDENT {
            doubt.reached(Reach::Relay);
            assert_eq!(doubt.trouble(), None, "it may be an accident");
        }
        doubt.reached(Reach::Relay);
        assert_eq!(doubt.trouble(), Some(Trouble::SocketsBlocked));
        doubt.welcomed();
        assert_eq!(doubt.trouble(), None);
        doubt.reached(Reach::Relay);
        assert_eq!(doubt.trouble(), None, "it counts anew");
    }

    #[test]
    fn a_relay_that_comes_and_goes_is_away_and_not_blocked() {
        let mut doubt = Doubt::default();
        for _ in 0..9 {
            doubt.reached(Reach::Relay);
            doubt.reached(Reach::Nobody);
            assert_eq!(doubt.trouble(), None);
        }
        doubt.reached(Reach::Relay);
        doubt.broke();
        doubt.reached(Reach::Relay);
        doubt.reached(Reach::Relay);
        assert_eq!(doubt.trouble(), None, "one opened in between");
    }

    #[test]
    fn an_answer_that_says_why_counts_at_once_and_the_newest_stands() {
        let mut doubt = Doubt::default();
        doubt.unknown_session();
        assert_eq!(doubt.trouble(), Some(Trouble::UnknownSession));
        doubt.broke();
        assert_eq!(doubt.trouble(), Some(Trouble::UnknownSession), "its close follows the word");
        doubt.reached(Reach::ProxyPassword);
        assert_eq!(doubt.trouble(), Some(Trouble::ProxyPassword));
        doubt.reached(Reach::ForeignOrigin);
        assert_eq!(doubt.trouble(), Some(Trouble::ForeignOrigin));
        doubt.reached(Reach::Nobody);
        assert_eq!(doubt.trouble(), None);
    }
}
