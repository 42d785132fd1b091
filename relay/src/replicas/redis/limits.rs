//! Token buckets that all replicas share.
//!
//! A limiter decides by itself, at once, and tells Redis afterwards what was taken; the answer says what the
//! user has taken everywhere, and the bucket here becomes as empty. So no message and no request waits for a
//! round trip, and nothing changes when Redis is away. The price: what other replicas gave within the last
//! round is not known yet. That is at most a sixteenth of the burst each and what they take in
//! [`SHORTEST_ROUND`]; it is charged like everything else, so over any longer time the rate holds exactly.

use std::sync::Arc;
use std::time::Duration;

use super::message::bucket_key;
use super::scripts::CHARGE;
use super::{Away, Redis};
use crate::limits::limiter::{Limiter, Owing};

/// Between rounds, where little was taken.
const LONGEST_ROUND: Duration = Duration::from_millis(500);
/// Between rounds, where much was.
const SHORTEST_ROUND: Duration = Duration::from_millis(10);
/// Users of one pipeline.
const CHUNK: usize = 512;

/// Shares a limiter's buckets under the name of its kind. Runs for ever.
pub async fn share(redis: Redis, kind: &'static str, limiter: Arc<Limiter>) {
    loop {
        let round = async {
            limiter.owes_much().await;
            tokio::time::sleep(SHORTEST_ROUND).await;
        };
        let _ = tokio::time::timeout(LONGEST_ROUND, round).await;
        if redis.is_here() {
            let owing = limiter.owing();
            for users in owing.chunks(CHUNK) {
                settle(&redis, kind, &limiter, users).await;
            }
        }
    }
}

async fn settle(redis: &Redis, kind: &str, limiter: &Limiter, users: &[Owing]) {
    let mut pipeline = redis::pipe();
    for Owing { user, tokens } in users {
        let call = CHARGE.call(&[bucket_key(kind, user)]).arg(*tokens).arg(limiter.rate().per_second);
        pipeline.add_command(call.command());
    }
    match redis.patient::<Vec<i64>>(&pipeline).await {
        Ok(missing) => {
            for (owing, missing) in users.iter().zip(missing) {
                limiter.adopt(&owing.user, Duration::from_micros(u64::try_from(missing).unwrap_or(0)));
            }
        }
        Err(Away) => users.iter().for_each(|owing| limiter.owe(owing)),
    }
}
