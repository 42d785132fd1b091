//! How many sockets a user, a session and a token may have open.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mien_shared::SessionId;

use crate::config::{Rate, SocketQuota};

/// Rejected tokens that are answered at once. A client that sends many bad ones waits for each answer, and so takes
/// less of what the others need; a page whose token has expired does not notice.
pub const BAD_TOKENS: Rate = Rate { per_second: 500, burst: 500 };

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct SocketCounts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    quota: SocketQuota,
    /// By the hash of what is counted, which is a tenth of its size and cannot be chosen by a client.
    open: Mutex<HashMap<u64, usize>>,
    hash: RandomState,
}

/// Whose quotas a socket counts against.
#[derive(Clone, Copy, Debug)]
pub struct SocketOwner<'a> {
    pub user: &'a str,
    pub session: SessionId,
    pub token: &'a str,
}

/// Whether a socket replaces one that is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    New,
    /// The older one of its source closes once what it took is stored; until then both count. While the store is slow
    /// those must not become too many either, so there is room for as many again and no more.
    TakesOver,
}

/// Counts until it is dropped.
#[derive(Debug)]
pub struct CountedSocket {
    counts: SocketCounts,
    keys: [u64; 3],
}

/// The quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    pub of: &'static str,
    pub most: usize,
}

impl SocketCounts {
    pub fn new(quota: SocketQuota) -> Self {
        Self(Arc::new(Inner { quota, open: Mutex::default(), hash: RandomState::new() }))
    }

    pub fn count(&self, of: SocketOwner<'_>, entry: Admission) -> Result<CountedSocket, TooMany> {
        let Inner { quota, hash, .. } = &*self.0;
        let keys =
            [hash.hash_one((0, of.user)), hash.hash_one((1, of.session)), hash.hash_one((2, of.token))];
        let most = [("user", quota.per_user), ("session", quota.per_session), ("token", quota.per_token)];
        let mut open = self.lock();
        for (key, (of, most)) in keys.iter().zip(most) {
            let room = if entry == Admission::TakesOver { most.saturating_mul(2) } else { most };
            if open.get(key).is_some_and(|count| *count >= room) {
                return Err(TooMany { of, most });
            }
        }
        for key in keys {
            *open.entry(key).or_default() += 1;
        }
        drop(open);
        Ok(CountedSocket { counts: self.clone(), keys })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, usize>> {
        // Each change is one number, and nothing in between can panic.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CountedSocket {
    fn drop(&mut self) {
        let mut open = self.counts.lock();
        for key in self.keys {
            if let Some(count) = open.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    open.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_holds_by_itself_and_what_ends_counts_no_longer() {
        let counts = SocketCounts::new(SocketQuota { per_user: 4, per_session: 3, per_token: 2 });
        let [one, two] = [1, 2].map(|number| SessionId(uuid::Uuid::from_u128(number)));
        let count = |user, session, token, entry| {
            counts.count(SocketOwner { user, session, token }, entry).map_err(|too_many| too_many.of)
        };
        let mut open = Vec::new();
        for (user, session, token, refused) in [
            ("alice", one, "a", None),
            ("alice", one, "a", None),
            ("alice", one, "a", Some("token")),
            ("alice", one, "b", None),
            ("alice", one, "c", Some("session")),
            ("alice", two, "c", None),
            ("alice", two, "d", Some("user")),
            ("bob", two, "d", None),
        ] {
            match count(user, session, token, Admission::New) {
                Ok(counted) => {
                    assert_eq!(refused, None, "{user} {token}");
                    open.push(counted);
                }
                Err(of) => assert_eq!(Some(of), refused, "{user} {token}"),
            }
        }
        assert!(count("alice", one, "a", Admission::TakesOver).is_ok(), "the older one goes");
        open.clear();
        assert!(counts.lock().is_empty());
    }
}
