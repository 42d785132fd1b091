//! Live sessions: who is connected, and what was committed just now.
//!
//! Owns presence, the one seat of each source, and a short memory of committed batches. Nothing is pushed to
//! a watcher: each keeps its own place, is woken by news, and takes what continues its place from here, or
//! reads the store when this memory no longer reaches back so far. So no watcher can delay another, or the
//! commit, and none can miss a sample.
//!
//! Nothing here waits while it holds a lock.

mod claim;
pub(crate) mod remote;
mod remote_presence;
mod ring;
mod token_guard;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use mien_shared::api::SourceName;
use mien_shared::problem::CloseCode;
use mien_shared::{Sample, SessionId, SessionStatus};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::replicas::redis::Change;
use crate::store::Take;
use claim::Holder;
pub use claim::{Claim, Seat};
use remote::Link;
use remote_presence::Elsewhere;
pub(crate) use remote_presence::SILENCE;
pub use ring::Piece;
use ring::{After, Ring};
pub use token_guard::Bearer;

/// All sessions that anyone is connected to. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Hub(Arc<Sessions>);

#[derive(Debug, Default)]
struct Sessions {
    live: Mutex<HashMap<SessionId, Weak<Live>>>,
    /// Where there may be other replicas.
    link: Option<Link>,
}

/// How far a session has come, as far as those connected must know. It never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    #[default]
    Active,
    Completed,
    Erased,
}

/// A session that someone is connected to. It goes when the last of them does.
#[derive(Debug)]
pub struct Live {
    id: SessionId,
    hub: Hub,
    /// Moves with everything that a watcher may want to know. Made for the first of them: most sessions have
    /// none, and it is half a kilobyte.
    news: OnceLock<watch::Sender<()>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// By name. A list, as most sessions have one source.
    holders: Vec<Holder>,
    /// Claims so far: tells an old holder from the one that took over.
    claims: u64,
    watchers: u64,
    /// Only filled while someone watches.
    rings: BTreeMap<SourceName, Ring>,
    elsewhere: Elsewhere,
    /// Every connection that was let in.
    bearers: Vec<token_guard::Known>,
    /// Tells them apart.
    bearers_so_far: u64,
}

impl State {
    /// Who is connected, where that is not what the caller knows. Asked for with every sample by every watcher,
    /// it looks before it makes a list.
    fn presence_unlike(&self, known: &Presence) -> Option<Presence> {
        let here = self.watchers == known.watchers
            && self.holders.iter().map(|holder| &holder.source).eq(&known.sources);
        if here && self.elsewhere.is_empty() {
            return None;
        }
        Some(self.elsewhere.with(self.presence_here())).filter(|presence| presence != known)
    }

    fn holder(&mut self, source: &SourceName) -> Option<&mut Holder> {
        self.holders.iter_mut().find(|holder| holder.source == *source)
    }

    fn presence_here(&self) -> Presence {
        let sources = self.holders.iter().map(|holder| holder.source.clone()).collect();
        Presence { sources, watchers: self.watchers }
    }
}

/// Who is connected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    pub sources: Vec<SourceName>,
    pub watchers: u64,
}

impl Presence {
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.watchers == 0
    }
}

impl Hub {
    /// One whose sessions other replicas hear of.
    pub(crate) fn linked(link: Link) -> Self {
        Self(Arc::new(Sessions { live: Mutex::default(), link: Some(link) }))
    }

    pub(crate) fn link(&self) -> Option<&Link> {
        self.0.link.as_ref()
    }

    /// The live session of this id, for as long as the caller keeps it.
    pub fn join(&self, id: SessionId) -> Arc<Live> {
        let mut sessions = self.lock();
        if let Some(live) = sessions.get(&id).and_then(Weak::upgrade) {
            return live;
        }
        let live = Arc::new(Live { id, hub: self.clone(), news: OnceLock::new(), state: Mutex::default() });
        sessions.insert(id, Arc::downgrade(&live));
        live
    }

    /// The session, if anyone is connected to it.
    pub(crate) fn find(&self, id: SessionId) -> Option<Arc<Live>> {
        self.lock().get(&id).and_then(Weak::upgrade)
    }

    /// All sessions that anyone is connected to.
    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        // Collected before any is dropped: the last reference to one locks the map.
        self.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// Tells those connected that the session takes no more. Call it after the store knows.
    pub fn completed(&self, id: SessionId) {
        self.tell(id, Phase::Completed);
    }

    /// Tells those connected that the session is gone. Call it after the store knows.
    pub fn erased(&self, id: SessionId) {
        self.tell(id, Phase::Erased);
    }

    /// Tells those connected what another replica did to the session.
    pub(crate) fn ended(&self, id: SessionId, change: &Change) {
        match change {
            Change::Erased => self.erased(id),
            Change::Updated(session) if session.status == SessionStatus::Completed => self.completed(id),
            Change::Updated(_) => {}
            Change::Revoked(revoked) => self.revoked(id, revoked),
        }
    }

    fn tell(&self, id: SessionId, phase: Phase) {
        if let Some(live) = self.find(id) {
            let mut state = live.lock();
            state.phase = state.phase.max(phase);
            for holder in &state.holders {
                holder.end(CloseCode::SessionEnded);
            }
            drop(state);
            live.tell();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Weak<Live>>> {
        // Maps of handles: whatever panicked, each entry is whole.
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let mut sessions = self.hub.lock();
        // Another may have joined anew since the last reference went.
        if sessions.get(&self.id).is_some_and(|live| live.strong_count() == 0) {
            sessions.remove(&self.id);
        }
        drop(sessions);
        self.mark();
    }
}

impl Live {
    pub fn id(&self) -> SessionId {
        self.id
    }

    pub(crate) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Hands on what was just committed for a source. Only the batcher calls it, so in order of seq.
    pub fn publish(&self, source: &SourceName, take: &Take, stored: &[&Sample]) {
        let watched = self.lock().watchers > 0;
        let link = self.hub.link();
        if stored.is_empty() || !(watched || link.is_some()) {
            return;
        }
        // Once for all watchers, and outside the lock.
        let text = samples_message(source, stored);
        let piece = Piece { before: take.before, first: stored[0].seq, through: take.through, text };
        if let Some(link) = link {
            link.outbox.offer(self.id, source.clone(), piece.clone());
        }
        if watched {
            self.lock().rings.entry(source.clone()).or_default().push(piece);
            self.tell();
        }
    }

    /// Begins to watch: from now on everything that is committed is remembered for a while.
    pub fn watch(self: &Arc<Self>) -> Watching {
        self.lock().watchers += 1;
        self.tell_presence();
        let news = self.news.get_or_init(|| watch::Sender::new(())).subscribe();
        Watching { news, live: Arc::clone(self) }
    }

    /// Who is connected, here and to other replicas.
    pub fn presence(&self) -> Presence {
        let state = self.lock();
        state.elsewhere.with(state.presence_here())
    }

    /// Whether a connection here has claimed this source.
    pub(crate) fn is_claimed(&self, source: &SourceName) -> bool {
        self.lock().holder(source).is_some()
    }

    /// Whether anyone watches here.
    pub(crate) fn is_watched(&self) -> bool {
        self.lock().watchers > 0
    }

    /// Wakes all watchers.
    fn tell(&self) {
        if let Some(news) = self.news.get() {
            news.send_replace(());
        }
    }

    /// Wakes those who want to know who is connected, here and elsewhere.
    fn tell_presence(&self) {
        self.tell();
        self.mark();
    }

    fn mark(&self) {
        if let Some(link) = self.hub.link() {
            link.changed.mark(self.id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change to the state is one insert, removal or addition: nothing can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A watcher's hold on a live session.
#[derive(Debug)]
pub struct Watching {
    live: Arc<Live>,
    news: watch::Receiver<()>,
}

/// What a watcher finds when it looks.
#[derive(Debug, PartialEq, Eq)]
pub struct View {
    pub phase: Phase,
    /// Who is connected, where that is not what the watcher knows.
    pub presence: Option<Presence>,
    /// At most one step a source, so that a busy one does not starve the others.
    pub next: Vec<Next>,
    /// Whether there is more after these steps.
    pub more: bool,
}

/// What a watcher at some place of a source should do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send these; they continue its place.
    Pieces(SourceName, Vec<Piece>),
    /// Read the store up to this seq: the memory does not reach back so far.
    Store(SourceName, u64),
}

impl Watching {
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// What is new for a watcher that knows `presence` and has seen each source up to its place (0 where it has
    /// none). What comes after this look wakes [`Watching::news`].
    pub fn look(&mut self, presence: &Presence, places: &BTreeMap<SourceName, u64>) -> View {
        self.news.mark_unchanged();
        let state = self.live.lock();
        let (mut next, mut more) = (Vec::new(), false);
        for (source, ring) in &state.rings {
            let place = places.get(source).copied().unwrap_or(0);
            match ring.after(place) {
                None => {}
                Some(After::Pieces { pieces, more: after }) => {
                    more |= after;
                    next.push(Next::Pieces(source.clone(), pieces));
                }
                Some(After::Forgotten { through }) => {
                    more = true;
                    next.push(Next::Store(source.clone(), through));
                }
            }
        }
        View { phase: state.phase, presence: state.presence_unlike(presence), next, more }
    }

    /// Returns when there is something new.
    pub async fn news(&mut self) {
        // The sender lives in `self.live`.
        let _ = self.news.changed().await;
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut state = self.live.lock();
        state.watchers -= 1;
        if state.watchers == 0 {
            state.rings.clear();
        }
        drop(state);
        self.live.tell_presence();
    }
}

/// A watcher's `samples` message.
pub fn samples_message<S: Serialize>(source: &SourceName, samples: &[S]) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Message<'a, S> {
        #[serde(rename = "type")]
        kind: &'static str,
        source: &'a SourceName,
        samples: &'a [S],
    }
    serde_json::to_string(&Message { kind: "samples", source, samples })
        .expect("samples are plain JSON")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::protocol::WatchReply;
    use uuid::Uuid;

    fn sample(seq: u64) -> Sample {
        Sample::new(seq, seq, Vec::new())
    }

    fn publish(live: &Live, source: &SourceName, seqs: std::ops::RangeInclusive<u64>) {
        let take = Take { before: seqs.start() - 1, through: *seqs.end(), fates: Vec::new() };
        let samples: Vec<Sample> = seqs.map(sample).collect();
        live.publish(source, &take, &samples.iter().collect::<Vec<_>>());
    }

    #[test]
    fn the_message_is_the_contracts() {
        let source = SourceName::default();
        let text = samples_message(&source, &[sample(1), sample(2)]);
        let reply: WatchReply = serde_json::from_str(&text).unwrap();
        assert_eq!(reply, WatchReply::Samples { source, samples: vec![sample(1), sample(2)] });
    }

    #[test]
    fn a_session_goes_with_the_last_who_is_connected() {
        let hub = Hub::default();
        let id = SessionId(Uuid::now_v7());
        let (one, two) = (hub.join(id), hub.join(id));
        assert!(Arc::ptr_eq(&one, &two));
        drop(one);
        assert_eq!(hub.lock().len(), 1);
        drop(two);
        assert_eq!(hub.lock().len(), 0);
    }

    #[test]
    fn a_watcher_gets_what_continues_its_place() {
        let live = Hub::default().join(SessionId(Uuid::now_v7()));
        let main = SourceName::default();
        publish(&live, &main, 1..=2);
        let mut watching = live.watch();
        let nobody = Presence::default();
        assert_eq!(watching.look(&nobody, &BTreeMap::new()).next, [], "nobody watched yet");
        publish(&live, &main, 3..=4);
        publish(&live, &main, 5..=6);
        let mut at = |seq| watching.look(&nobody, &BTreeMap::from([(main.clone(), seq)])).next.pop();
        let firsts = |next| match next {
            Some(Next::Pieces(_, pieces)) => pieces.iter().map(|piece| piece.first).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(firsts(at(2)), [3, 5]);
        assert_eq!(firsts(at(4)), [5]);
        assert_eq!(at(6), None);
        assert_eq!(at(0), Some(Next::Store(main.clone(), 6)));
        assert_eq!(at(3), Some(Next::Store(main.clone(), 6)), "half of a piece is not sent twice");
    }

    #[test]
    fn presence_counts_those_connected() {
        let live = Hub::default().join(SessionId(Uuid::now_v7()));
        let main = SourceName::default();
        let first = live.claim(&main);
        let mut watching = live.watch();
        let both = Presence { sources: vec![main.clone()], watchers: 1 };
        assert_eq!(live.presence(), both);
        assert_eq!(watching.look(&Presence::default(), &BTreeMap::new()).presence, Some(both.clone()));
        assert_eq!(watching.look(&both, &BTreeMap::new()).presence, None, "it is known");
        let second = live.claim(&main);
        drop(first);
        assert_eq!(live.presence().sources.len(), 1, "the newer one is still there");
        drop(second);
        drop(watching);
        assert_eq!(live.presence(), Presence { sources: vec![], watchers: 0 });
    }

    #[test]
    fn a_connection_hears_of_the_end_once_whenever_it_comes() {
        let hub = Hub::default();
        let live = hub.join(SessionId(Uuid::now_v7()));
        let main = SourceName::default();
        let ended = |claim: &Claim| futures_util::FutureExt::now_or_never(claim.ended());
        let first = live.claim(&main);
        assert_eq!(ended(&first), None);
        let second = live.claim(&main);
        assert_eq!(ended(&first), Some(CloseCode::Superseded));
        hub.completed(live.id());
        assert_eq!(ended(&first), Some(CloseCode::Superseded), "it was over before");
        assert_eq!(ended(&second), Some(CloseCode::SessionEnded));
        assert_eq!(ended(&live.claim(&main)), Some(CloseCode::SessionEnded), "it came too late");
    }
}
