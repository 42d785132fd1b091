//! Long reads: who may have how many in progress at once.
//!
//! A slot is taken before anything is read and held until the answer is written, so it bounds what answers hold in
//! memory. Slots are counted for each caller, for each role of a user's sessions, and in all. A caller that finds none
//! free waits in order for a while, and is refused after that. Each chunk it reads needs a [`ReadPermits`] permit, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mien_shared::api::Session;
use mien_shared::{Role, SessionId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::read_permits::ReadPermits;
use crate::auth::Caller;

/// How long a caller waits for one of its own slots: what a page requests at once is usually answered within that time.
pub(crate) const OWN_SLOT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a caller waits if others hold the slots: a hundred recordings that end together request as many summaries,
/// and each page waits for forty seconds.
const SHARED_SLOT_TIMEOUT: Duration = Duration::from_secs(20);

/// Kinds of reads, counted separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadKind {
    /// Summaries and series: they read all there is, and answer when they are done.
    Sum,
    /// Exports: they last as long as the client takes.
    Export,
    /// Pages of samples and of gaps: milliseconds each, and requested one after the other.
    Page,
}

/// Maximum numbers in progress.
#[derive(Clone, Copy, Debug)]
struct SlotLimits {
    /// Of one token's session and role, or of one user token.
    caller: usize,
    /// Of all capability tokens of one user's sessions that have the same role: a user with many sessions hands out
    /// many links.
    role: usize,
    in_all: usize,
}

impl ReadKind {
    const ALL: [Self; 3] = [Self::Sum, Self::Export, Self::Page];

    /// What one holds is usually a few hundred kilobytes; with the maximum number of faces, a sum holds 12 MB, an
    /// export 3 MB and a page 8 MB.
    const fn limits(self) -> SlotLimits {
        match self {
            Self::Sum => SlotLimits { caller: 3, role: 12, in_all: 48 },
            Self::Export => SlotLimits { caller: 3, role: 12, in_all: 128 },
            Self::Page => SlotLimits { caller: 16, role: 48, in_all: 128 },
        }
    }
}

/// Whose slots are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Group {
    User(String),
    Grant(SessionId, Role),
    /// A user's sessions, by the role of the token.
    Role(String, Role),
}

/// Why there is no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReadSlot {
    #[error("as many reads are under way with this token as may be; let one of them end first")]
    Caller,
    #[error("as many long reads are under way as the relay serves at once")]
    Relay,
}

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct ReadSlots {
    pub permits: ReadPermits,
    queues: Arc<Mutex<Queues>>,
    in_all: [Arc<Semaphore>; ReadKind::ALL.len()],
}

/// Those who hold a slot or wait for one; others have no entry.
type Queues = HashMap<(ReadKind, Group), Arc<Semaphore>>;

impl ReadSlots {
    /// Over a store with this many connections.
    pub fn new(connections: u32) -> Self {
        Self {
            permits: ReadPermits::new(connections),
            queues: Arc::default(),
            in_all: ReadKind::ALL.map(|kind| Arc::new(Semaphore::new(kind.limits().in_all))),
        }
    }

    /// A slot for a request of `caller` about `session`.
    pub async fn enter(
        &self,
        kind: ReadKind,
        caller: &Caller,
        session: &Session,
    ) -> Result<ReadSlot, NoReadSlot> {
        let (now, limits) = (Instant::now(), kind.limits());
        let until = now + SHARED_SLOT_TIMEOUT;
        let own = match &caller.grant {
            None => Group::User(caller.user.clone()),
            Some(grant) => Group::Grant(grant.session, grant.role),
        };
        let mut own = self.queue(kind, own, limits.caller);
        own.wait(now + OWN_SLOT_TIMEOUT).await?;
        let mut role = None;
        if let Some(grant) = &caller.grant {
            let who = Group::Role(session.user_id.clone(), grant.role);
            role.insert(self.queue(kind, who, limits.role)).wait(until).await?;
        }
        let in_all = Arc::clone(&self.in_all[kind as usize]).acquire_owned();
        let permit = timeout_at(until, in_all).await.ok().and_then(Result::ok).ok_or(NoReadSlot::Relay)?;
        Ok(ReadSlot { _own: own, _role: role, _in_all: permit })
    }

    /// Slots that are taken.
    pub fn under_way(&self) -> usize {
        let taken = |kind: ReadKind| kind.limits().in_all - self.in_all[kind as usize].available_permits();
        ReadKind::ALL.into_iter().map(taken).sum()
    }

    fn queue(&self, kind: ReadKind, who: Group, most: usize) -> Queued {
        let key = (kind, who);
        let mut queues = locked(&self.queues);
        let slots = queues.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(most)));
        Queued { slots: Arc::clone(slots), queues: Arc::clone(&self.queues), key, permit: None }
    }
}

/// Released when dropped.
#[derive(Debug)]
pub struct ReadSlot {
    _own: Queued,
    _role: Option<Queued>,
    _in_all: OwnedSemaphorePermit,
}

/// A caller among those who are counted together.
#[derive(Debug)]
struct Queued {
    slots: Arc<Semaphore>,
    queues: Arc<Mutex<Queues>>,
    key: (ReadKind, Group),
    permit: Option<OwnedSemaphorePermit>,
}

impl Queued {
    async fn wait(&mut self, until: Instant) -> Result<(), NoReadSlot> {
        let permit = timeout_at(until, Arc::clone(&self.slots).acquire_owned()).await;
        self.permit = permit.ok().and_then(Result::ok);
        if self.permit.is_some() { Ok(()) } else { Err(NoReadSlot::Caller) }
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.permit = None;
        let mut queues = locked(&self.queues);
        // The map's and this one's: nobody else is queued, and nobody comes while the map is locked.
        if Arc::strong_count(&self.slots) == 2 {
            queues.remove(&self.key);
        }
    }
}

fn locked(queues: &Mutex<Queues>) -> MutexGuard<'_, Queues> {
    // It is consistent between any two lines, whatever panicked.
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use mien_shared::SessionStatus;
    use uuid::Uuid;

    use super::*;
    use crate::auth::Grant;

    fn session(user: &str) -> Session {
        Session {
            id: SessionId(Uuid::now_v7()),
            user_id: user.to_owned(),
            title: String::new(),
            purpose: String::new(),
            status: SessionStatus::Active,
            started_at: crate::clock::now(),
            completed_at: None,
        }
    }

    fn caller(session: &Session, role: Option<Role>) -> Caller {
        let grant = |role| Grant { session: session.id, role, source: mien_shared::SourceName::default() };
        Caller { user: session.user_id.clone(), grant: role.map(grant) }
    }

    async fn fill(
        reads: &ReadSlots,
        kind: ReadKind,
        caller: &Caller,
        session: &Session,
    ) -> (Vec<ReadSlot>, NoReadSlot) {
        let mut slots = Vec::new();
        loop {
            match reads.enter(kind, caller, session).await {
                Ok(slot) => slots.push(slot),
                Err(full) => return (slots, full),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_caller_has_some_and_nobody_takes_anothers() {
        let reads = ReadSlots::new(25);
        let session = session("alice");
        let mut all = Vec::new();
        for role in [Some(Role::Watch), Some(Role::Owner), None] {
            let caller = caller(&session, role);
            let (slots, full) = fill(&reads, ReadKind::Sum, &caller, &session).await;
            assert_eq!((slots.len(), full), (3, NoReadSlot::Caller), "{role:?}");
            all.push(slots);
        }
        assert_eq!(reads.under_way(), 9);
        drop(all);
        assert_eq!(reads.under_way(), 0);
        assert!(locked(&reads.queues).is_empty(), "nothing is kept of those who are gone");
    }

    #[tokio::test(start_paused = true)]
    async fn many_links_of_one_user_are_counted_together_and_leave_room_for_others() {
        let reads = ReadSlots::new(25);
        let mut links = Vec::new();
        for _ in 0..20 {
            let session = session("alice");
            links.extend(
                fill(&reads, ReadKind::Export, &caller(&session, Some(Role::Watch)), &session).await.0,
            );
        }
        assert_eq!(links.len(), 12);
        let hers = session("alice");
        for role in [Some(Role::Owner), None] {
            assert!(reads.enter(ReadKind::Export, &caller(&hers, role), &hers).await.is_ok());
        }
        let his = session("bob");
        assert!(reads.enter(ReadKind::Export, &caller(&his, Some(Role::Watch)), &his).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_relay_is_full_that_is_what_it_says() {
        let reads = ReadSlots::new(25);
        let mut all = Vec::new();
        let full = loop {
            let session = session(&format!("user {}", all.len()));
            match reads.enter(ReadKind::Sum, &caller(&session, None), &session).await {
                Ok(slot) => all.push(slot),
                Err(full) => break full,
            }
        };
        assert_eq!((all.len(), full), (48, NoReadSlot::Relay));
    }

    #[tokio::test(start_paused = true)]
    async fn many_wait_in_order() {
        let reads = ReadSlots::new(25);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (reads, session) = (reads.clone(), session("alice"));
            tasks.spawn(async move {
                let slot = reads.enter(ReadKind::Sum, &caller(&session, Some(Role::Owner)), &session).await;
                tokio::time::sleep(Duration::from_secs(2)).await;
                slot.is_ok()
            });
        }
        assert!(tasks.join_all().await.iter().all(|came_in| *came_in));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_comes_in_when_one_goes_and_who_gives_up_leaves_nothing() {
        let reads = ReadSlots::new(25);
        let session = session("alice");
        let watch = caller(&session, Some(Role::Watch));
        let (mut slots, _) = fill(&reads, ReadKind::Sum, &watch, &session).await;
        let waits = reads.enter(ReadKind::Sum, &watch, &session);
        tokio::pin!(waits);
        assert!(futures_util::poll!(waits.as_mut()).is_pending());
        slots.pop();
        assert!(waits.await.is_ok());
        drop(slots);
        assert!(locked(&reads.queues).is_empty());
    }
}
