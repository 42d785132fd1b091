//! The connections of a session by the tokens that opened them: each learns when its token holds no longer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::SetOnce;

use super::{Hub, Live};
use crate::auth::{Revoked, Stamp};
use mien_shared::SessionId;

/// How often an open socket compares its token's end with the wall clock, which may be set.
const LOOK: Duration = Duration::from_mins(1);

/// What a session knows of a connection's token.
#[derive(Debug)]
pub(super) struct Known {
    number: u64,
    stamp: Stamp,
    revoked: Arc<SetOnce<()>>,
}

/// A connection's stay in a session. It ends with the connection.
#[derive(Debug)]
pub struct Bearer {
    live: Arc<Live>,
    number: u64,
    expires: u64,
    revoked: Arc<SetOnce<()>>,
}

impl Live {
    /// Notes a connection's token. Made before it is asked whether the token was revoked: what is revoked after that is
    /// told.
    pub fn bear(self: &Arc<Self>, stamp: Stamp) -> Bearer {
        let (expires, revoked) = (stamp.expires, Arc::default());
        let mut state = self.lock();
        state.bearers_so_far += 1;
        let number = state.bearers_so_far;
        if state.bearers.is_empty() {
            // Most sessions have one.
            state.bearers.reserve_exact(1);
        }
        state.bearers.push(Known { number, stamp, revoked: Arc::clone(&revoked) });
        drop(state);
        Bearer { live: Arc::clone(self), number, expires, revoked }
    }
}

impl Bearer {
    /// Returns once the token is revoked or past its end.
    pub fn over(&self) -> impl Future<Output = ()> + Send + use<> {
        let (revoked, expires) = (Arc::clone(&self.revoked), self.expires);
        async move {
            tokio::select! {
                () = expired(expires) => {}
                &() = revoked.wait() => {}
            }
        }
    }
}

impl Drop for Bearer {
    fn drop(&mut self) {
        self.live.lock().bearers.retain(|known| known.number != self.number);
    }
}

impl Hub {
    /// Tells connections whose token was revoked. Call it after the store and the caches know.
    pub fn revoked(&self, id: SessionId, revoked: &Revoked) {
        let Some(live) = self.find(id) else { return };
        for known in &live.lock().bearers {
            if revoked.covers(&known.stamp) {
                let _ = known.revoked.set(());
            }
        }
    }
}

/// Returns once this second, by the wall clock, is over: a token is good to its end.
async fn expired(second: u64) {
    loop {
        let left = left_of(second, crate::clock::now().as_millisecond());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LOOK)).await;
    }
}

fn left_of(second: u64, now_ms: i64) -> Duration {
    let end_ms = second.saturating_add(1).saturating_mul(1_000);
    Duration::from_millis(end_ms.saturating_sub(u64::try_from(now_ms).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use uuid::Uuid;

    fn stamp(id: &str, expires: u64) -> Stamp {
        Stamp { id: id.into(), issued_ms: Some(1), expires, first: None }
    }

    #[test]
    fn a_second_is_good_to_its_end_however_far_it_is() {
        assert_eq!(left_of(10, 10_000), Duration::from_secs(1));
        assert_eq!(left_of(10, 10_999), Duration::from_millis(1));
        assert_eq!(left_of(10, 11_000), Duration::ZERO);
        assert_eq!(left_of(0, i64::MAX), Duration::ZERO);
        assert!(left_of(u64::MAX, i64::MIN) > LOOK);
    }

    #[tokio::test]
    async fn a_connection_hears_when_its_token_is_revoked_or_past() {
        let (hub, id) = (Hub::default(), SessionId(Uuid::now_v7()));
        let live = hub.join(id);
        let (mine, other) = (live.bear(stamp("mine", u64::MAX)), live.bear(stamp("other", u64::MAX)));
        let named = Revoked { ids: ["other".to_owned()].into(), ..Revoked::default() };
        hub.revoked(id, &named);
        assert_eq!(other.over().now_or_never(), Some(()));
        assert_eq!(mine.over().now_or_never(), None);
        drop(other);
        assert_eq!(live.lock().bearers.len(), 1);
        assert_eq!(live.bear(stamp("late", 1)).over().now_or_never(), Some(()));
    }
}
