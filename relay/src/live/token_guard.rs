//! Ends connections with their tokens: each learns when its own is revoked or expires.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::SetOnce;

use super::session::LiveSession;
use super::state::OpenToken;
use crate::auth::Stamp;

/// How often an open socket compares its token's expiry with the wall clock, which may be set.
const CLOCK_CHECK_INTERVAL: Duration = Duration::from_mins(1);

/// Keeps a connection's token registered with its session.
#[derive(Debug)]
pub struct TokenGuard {
    live: Arc<LiveSession>,
    number: u64,
    expires: u64,
    revoked: Arc<SetOnce<()>>,
}

impl LiveSession {
    /// Registers a connection's token. This must come before the check whether the token was revoked, so that anything
    /// revoked after that check is reported here.
    pub fn guard_token(self: &Arc<Self>, stamp: Stamp) -> TokenGuard {
        let (expires, revoked) = (stamp.expires, Arc::default());
        let mut state = self.lock();
        state.tokens_so_far += 1;
        let number = state.tokens_so_far;
        if state.tokens.is_empty() {
            // Most sessions have one.
            state.tokens.reserve_exact(1);
        }
        state.tokens.push(OpenToken { number, stamp, revoked: Arc::clone(&revoked) });
        drop(state);
        TokenGuard { live: Arc::clone(self), number, expires, revoked }
    }
}

impl TokenGuard {
    /// Returns once the token is revoked or has expired.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let (revoked, expires) = (Arc::clone(&self.revoked), self.expires);
        async move {
            tokio::select! {
                () = expired(expires) => {}
                &() = revoked.wait() => {}
            }
        }
    }
}

impl Drop for TokenGuard {
    fn drop(&mut self) {
        self.live.lock().tokens.retain(|token| token.number != self.number);
    }
}

/// Returns once this second, by the wall clock, is over: a token is valid to the end of it.
async fn expired(second: u64) {
    loop {
        let left = time_left(second, crate::clock::now().as_millisecond());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(CLOCK_CHECK_INTERVAL)).await;
    }
}

fn time_left(second: u64, now_ms: i64) -> Duration {
    let end_ms = second.saturating_add(1).saturating_mul(1_000);
    Duration::from_millis(end_ms.saturating_sub(u64::try_from(now_ms).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use mien_shared::SessionId;
    use uuid::Uuid;

    use super::*;
    use crate::auth::Revoked;
    use crate::live::hub::Hub;

    fn stamp(id: &str, expires: u64) -> Stamp {
        Stamp { id: id.into(), issued_ms: Some(1), expires, first: None }
    }

    #[test]
    fn a_second_is_valid_to_its_end_however_far_it_is() {
        assert_eq!(time_left(10, 10_000), Duration::from_secs(1));
        assert_eq!(time_left(10, 10_999), Duration::from_millis(1));
        assert_eq!(time_left(10, 11_000), Duration::ZERO);
        assert_eq!(time_left(0, i64::MAX), Duration::ZERO);
        assert!(time_left(u64::MAX, i64::MIN) > CLOCK_CHECK_INTERVAL);
    }

    #[tokio::test]
    async fn a_connection_hears_when_its_token_is_revoked_or_expires() {
        let (hub, id) = (Hub::default(), SessionId(Uuid::now_v7()));
        let live = hub.join(id);
        let (mine, other) =
            (live.guard_token(stamp("mine", u64::MAX)), live.guard_token(stamp("other", u64::MAX)));
        let named = Revoked { ids: ["other".to_owned()].into(), ..Revoked::default() };
        hub.revoked(id, &named);
        assert_eq!(other.ended().now_or_never(), Some(()));
        assert_eq!(mine.ended().now_or_never(), None);
        drop(other);
        assert_eq!(live.lock().tokens.len(), 1);
        assert_eq!(live.guard_token(stamp("late", 1)).ended().now_or_never(), Some(()));
    }
}
