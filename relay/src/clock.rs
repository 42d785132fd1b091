//! The wall clock. It may be set at any moment, so it says what time it is (in a token, on a session, in a place among
//! the claims of several relays) and never how long something took or may take: that is `Instant`'s.

/// Now, by the wall clock.
#[expect(clippy::disallowed_methods, reason = "the one place where it is read")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
