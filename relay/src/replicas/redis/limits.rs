//! Token buckets that all relays share.
//!
//! A limiter decides alone, at once, and tells Redis afterwards what was taken; the reply says what the user has taken
//! everywhere, and the bucket here is emptied accordingly. So no message and no request waits for a round trip, and
//! nothing changes when Redis is away. The price: what other relays granted within the last round is not known yet.
//! That is at most a sixteenth of the burst each, plus what they grant in [`SHORTEST_ROUND`]; it is charged like
//! everything else, so over any longer time the rate holds exactly.

use std::sync::Arc;
use std::time::Duration;

use super::client::{Away, Redis};
use super::keys::bucket_key;
use super::scripts::CHARGE;
use crate::limits::{Limiter, UnsyncedTokens};

/// Between rounds, if little was taken.
const LONGEST_ROUND: Duration = Duration::from_millis(500);
/// Between rounds, if much was taken.
const SHORTEST_ROUND: Duration = Duration::from_millis(10);
/// Users per pipeline.
const CHUNK: usize = 512;

/// Shares a limiter's buckets under the name of its kind. Runs for ever.
pub(crate) async fn share_limits(redis: Redis, kind: &'static str, limiter: Arc<Limiter>) {
    loop {
        let round = async {
            limiter.sync_needed().await;
            tokio::time::sleep(SHORTEST_ROUND).await;
        };
        let _ = tokio::time::timeout(LONGEST_ROUND, round).await;
        if redis.is_here() {
            let unsynced = limiter.take_unsynced();
            for users in unsynced.chunks(CHUNK) {
                sync(&redis, kind, &limiter, users).await;
            }
        }
    }
}

async fn sync(redis: &Redis, kind: &str, limiter: &Limiter, users: &[UnsyncedTokens]) {
    let mut pipeline = redis::pipe();
    for UnsyncedTokens { user, tokens } in users {
        let call = CHARGE.call(&[bucket_key(kind, user)]).arg(*tokens).arg(limiter.rate().per_second);
        pipeline.add_command(call.command());
    }
    match redis.patient::<Vec<i64>>(&pipeline).await {
        Ok(missing) => {
            for (taken, missing) in users.iter().zip(missing) {
                limiter.adopt(&taken.user, Duration::from_micros(u64::try_from(missing).unwrap_or(0)));
            }
        }
        Err(Away) => users.iter().for_each(|taken| limiter.restore_unsynced(taken)),
    }
}
