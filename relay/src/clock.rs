//! The wall clock. It may be set at any moment, so it only says what time it is (in a token, on a session, in the order
//! of several relays' claims) and never how long something took or may take: that is what `Instant` is for.

/// Now, by the wall clock.
#[expect(clippy::disallowed_methods, reason = "the one place where it is read")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
