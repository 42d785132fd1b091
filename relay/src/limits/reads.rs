//! Long reads: who may have how many under way at once.
//!
//! A place is taken before anything is read and had until the answer is written, so it bounds what answers hold in
//! memory. Places are counted for each caller, for each role of a user's sessions, and in all. Who finds none free
//! waits in order for a while, and is refused after that. Whose turn at the
//! store it is comes on top ([`crate::limits::read_permits`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mien_shared::api::Session;
use mien_shared::{Code, Role, SessionId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::auth::Caller;
use crate::http::problem::ApiError;
use crate::limits::read_permits::Turns;

/// How long someone waits for one of their own places: what a page asks for at once is answered within that, as a rule.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long someone waits where the others take the places: a hundred recordings that end together ask for as many
/// summaries, and each page waits for forty seconds.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(20);

/// What kinds of reads are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Summaries and series: they read all there is, and answer when they are done.
    Sum,
    /// Exports: they last as long as whoever saves them takes.
    Export,
    /// Pages of samples and of gaps: milliseconds each, and asked for one after the other.
    Page,
}

/// At most so many under way.
#[derive(Clone, Copy, Debug)]
struct Places {
    /// Of one token's session and role, or of one user token.
    caller: usize,
    /// Of all capability tokens of one user's sessions that have the same role: whoever has many sessions gives out
    /// many links.
    role: usize,
    in_all: usize,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Sum, Self::Export, Self::Page];

    /// What one holds is a few hundred kilobytes as a rule; with as many faces as there may be, a sum holds 12 MB, an
    /// export 3 MB and a page 8 MB.
    const fn places(self) -> Places {
        match self {
            Self::Sum => Places { caller: 3, role: 12, in_all: 48 },
            Self::Export => Places { caller: 3, role: 12, in_all: 128 },
            Self::Page => Places { caller: 16, role: 48, in_all: 128 },
        }
    }
}

/// Whose places are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    User(String),
    Grant(SessionId, Role),
    /// A user's sessions, by the role that is asked with.
    Role(String, Role),
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("as many reads are under way with this token as may be; let one of them end first")]
    Caller,
    #[error("as many long reads are under way as the relay serves at once")]
    Relay,
}

impl From<Full> for ApiError {
    fn from(full: Full) -> Self {
        let code = match full {
            Full::Caller => Code::RateLimited,
            Full::Relay => Code::AtCapacity,
        };
        Self::new(code, full.to_string()).retry_after(PATIENCE)
    }
}

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reads {
    pub turns: Turns,
    lines: Arc<Mutex<Lines>>,
    in_all: [Arc<Semaphore>; Kind::ALL.len()],
}

/// Those who have a place or wait for one. Whoever has none is not kept.
type Lines = HashMap<(Kind, Who), Arc<Semaphore>>;

impl Reads {
    /// Over a store with so many connections.
    pub fn new(connections: u32) -> Self {
        Self {
            turns: Turns::new(connections),
            lines: Arc::default(),
            in_all: Kind::ALL.map(|kind| Arc::new(Semaphore::new(kind.places().in_all))),
        }
    }

    /// A place for what `caller` asks of `session`.
    pub async fn enter(&self, kind: Kind, caller: &Caller, session: &Session) -> Result<Place, Full> {
        let (now, places) = (Instant::now(), kind.places());
        let until = now + PATIENCE_WITH_OTHERS;
        let own = match &caller.grant {
            None => Who::User(caller.user.clone()),
            Some(grant) => Who::Grant(grant.session, grant.role),
        };
        let mut own = self.line(kind, own, places.caller);
        own.wait(now + PATIENCE).await?;
        let mut role = None;
        if let Some(grant) = &caller.grant {
            let who = Who::Role(session.user_id.clone(), grant.role);
            role.insert(self.line(kind, who, places.role)).wait(until).await?;
        }
        let in_all = Arc::clone(&self.in_all[kind as usize]).acquire_owned();
        let permit = timeout_at(until, in_all).await.ok().and_then(Result::ok).ok_or(Full::Relay)?;
        Ok(Place { _own: own, _role: role, _in_all: permit })
    }

    /// Places that are taken.
    pub fn under_way(&self) -> usize {
        let taken = |kind: Kind| kind.places().in_all - self.in_all[kind as usize].available_permits();
        Kind::ALL.into_iter().map(taken).sum()
    }

    fn line(&self, kind: Kind, who: Who, most: usize) -> Line {
        let key = (kind, who);
        let mut lines = locked(&self.lines);
        let line = lines.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(most)));
        Line { places: Arc::clone(line), lines: Arc::clone(&self.lines), key, permit: None }
    }
}

/// Had until dropped.
#[derive(Debug)]
pub struct Place {
    _own: Line,
    _role: Option<Line>,
    _in_all: OwnedSemaphorePermit,
}

/// Someone in the line of those who are counted together.
#[derive(Debug)]
struct Line {
    places: Arc<Semaphore>,
    lines: Arc<Mutex<Lines>>,
    key: (Kind, Who),
    permit: Option<OwnedSemaphorePermit>,
}

impl Line {
    async fn wait(&mut self, until: Instant) -> Result<(), Full> {
        let permit = timeout_at(until, Arc::clone(&self.places).acquire_owned()).await;
        self.permit = permit.ok().and_then(Result::ok);
        if self.permit.is_some() { Ok(()) } else { Err(Full::Caller) }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.permit = None;
        let mut lines = locked(&self.lines);
        // The map's and this one's: nobody else is in it, and nobody comes while the map is locked.
        if Arc::strong_count(&self.places) == 2 {
            lines.remove(&self.key);
        }
    }
}

fn locked(lines: &Mutex<Lines>) -> MutexGuard<'_, Lines> {
    // It is whole between any two lines, whatever panicked.
    lines.lock().unwrap_or_else(PoisonError::into_inner)
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

    async fn fill(reads: &Reads, kind: Kind, caller: &Caller, session: &Session) -> (Vec<Place>, Full) {
        let mut places = Vec::new();
        loop {
            match reads.enter(kind, caller, session).await {
                Ok(place) => places.push(place),
                Err(full) => return (places, full),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_caller_has_some_and_nobody_takes_anothers() {
        let reads = Reads::new(25);
        let session = session("alice");
        let mut all = Vec::new();
        for role in [Some(Role::Watch), Some(Role::Owner), None] {
            let caller = caller(&session, role);
            let (places, full) = fill(&reads, Kind::Sum, &caller, &session).await;
            assert_eq!((places.len(), full), (3, Full::Caller), "{role:?}");
            all.push(places);
        }
        assert_eq!(reads.under_way(), 9);
        drop(all);
        assert_eq!(reads.under_way(), 0);
        assert!(locked(&reads.lines).is_empty(), "nothing is kept of those who are gone");
    }

    #[tokio::test(start_paused = true)]
    async fn many_links_of_one_user_are_counted_together_and_leave_room_for_others() {
        let reads = Reads::new(25);
        let mut links = Vec::new();
        for _ in 0..20 {
            let session = session("alice");
            links.extend(fill(&reads, Kind::Export, &caller(&session, Some(Role::Watch)), &session).await.0);
        }
        assert_eq!(links.len(), 12);
        let hers = session("alice");
        for role in [Some(Role::Owner), None] {
            assert!(reads.enter(Kind::Export, &caller(&hers, role), &hers).await.is_ok());
        }
        let his = session("bob");
        assert!(reads.enter(Kind::Export, &caller(&his, Some(Role::Watch)), &his).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_relay_is_full_that_is_what_it_says() {
        let reads = Reads::new(25);
        let mut all = Vec::new();
        let full = loop {
            let session = session(&format!("user {}", all.len()));
            match reads.enter(Kind::Sum, &caller(&session, None), &session).await {
                Ok(place) => all.push(place),
                Err(full) => break full,
            }
        };
        assert_eq!((all.len(), full), (48, Full::Relay));
        assert_eq!(ApiError::from(full).code, Code::AtCapacity);
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_waits_in_order() {
        let reads = Reads::new(25);
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (reads, session) = (reads.clone(), session("alice"));
            crowd.spawn(async move {
                let place = reads.enter(Kind::Sum, &caller(&session, Some(Role::Owner)), &session).await;
                tokio::time::sleep(Duration::from_secs(2)).await;
                place.is_ok()
            });
        }
        assert!(crowd.join_all().await.iter().all(|came_in| *came_in));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_comes_in_when_one_goes_and_who_gives_up_leaves_nothing() {
        let reads = Reads::new(25);
        let session = session("alice");
        let watch = caller(&session, Some(Role::Watch));
        let (mut places, _) = fill(&reads, Kind::Sum, &watch, &session).await;
        let waits = reads.enter(Kind::Sum, &watch, &session);
        tokio::pin!(waits);
        assert!(futures_util::poll!(waits.as_mut()).is_pending());
        places.pop();
        assert!(waits.await.is_ok());
        drop(places);
        assert!(locked(&reads.lines).is_empty());
    }
}
