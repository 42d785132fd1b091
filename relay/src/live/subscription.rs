//! A watcher's subscription to a live session. It is woken and looks for itself: nothing is pushed to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mien_shared::api::SourceName;
use tokio::sync::watch;

use super::presence::Presence;
use super::ring::{After, CommittedBatch};
use super::session::LiveSession;
use super::state::Phase;

/// Maximum time that a caller waits for other relays: far longer than a healthy answer takes (well below a
/// millisecond), far shorter than what a person notices.
pub(crate) const REMOTE_TIMEOUT: Duration = Duration::from_millis(25);

/// While it lives, everything that is committed is remembered for a while.
#[derive(Debug)]
pub struct Subscription {
    live: Arc<LiveSession>,
    news: watch::Receiver<()>,
}

/// What a watcher finds when it looks.
#[derive(Debug, PartialEq, Eq)]
pub struct View {
    pub phase: Phase,
    /// Who is connected, if that is not what the watcher knows.
    pub presence: Option<Presence>,
    /// At most one step per source, so that a busy one does not starve the others.
    pub next: Vec<Step>,
    /// Whether there is more after these steps.
    pub more: bool,
}

/// What a watcher at some seq of a source should do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send these; they continue from its seq.
    Send(SourceName, Vec<CommittedBatch>),
    /// Read the store up to this seq: the ring does not reach back that far.
    ReadStore(SourceName, u64),
}

impl LiveSession {
    pub fn watch(self: &Arc<Self>) -> Subscription {
        self.lock().watchers += 1;
        self.presence_changed();
        Subscription { news: self.subscribe(), live: Arc::clone(self) }
    }
}

impl Subscription {
    pub fn live(&self) -> &Arc<LiveSession> {
        &self.live
    }

    /// What is new for a watcher that knows `presence` and has been sent each source through the given seq (0 where
    /// there is none). Anything newer than this look wakes [`Subscription::changed`].
    pub fn look(&mut self, presence: &Presence, sent: &BTreeMap<SourceName, u64>) -> View {
        self.news.mark_unchanged();
        let state = self.live.lock();
        let (mut next, mut more) = (Vec::new(), false);
        for (source, ring) in &state.rings {
            let through = sent.get(source).copied().unwrap_or(0);
            match ring.after(through) {
                None => {}
                Some(After::Batches { batches, more: after }) => {
                    more |= after;
                    next.push(Step::Send(source.clone(), batches));
                }
                Some(After::Forgotten { through }) => {
                    more = true;
                    next.push(Step::ReadStore(source.clone(), through));
                }
            }
        }
        View { phase: state.phase, presence: state.presence_unlike(presence), next, more }
    }

    /// Returns when there is something new.
    pub async fn changed(&mut self) {
        // The sender lives in `self.live`.
        let _ = self.news.changed().await;
    }

    /// Returns once it is known, or could have been known, who is connected to the other relays.
    pub(crate) async fn remote_presence_known(&mut self) {
        if self.live.link().is_none_or(|link| !*link.connected.borrow()) {
            return;
        }
        let known = async {
            while !self.live.lock().remote.is_known() {
                self.changed().await;
            }
        };
        let _ = tokio::time::timeout(REMOTE_TIMEOUT, known).await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.live.lock();
        state.watchers -= 1;
        if state.watchers == 0 {
            state.rings.clear();
        }
        drop(state);
        self.live.presence_changed();
    }
}

#[cfg(test)]
mod tests {
    use mien_shared::{Sample, SessionId};
    use uuid::Uuid;

    use super::*;
    use crate::live::hub::Hub;
    use crate::store::Take;

    fn publish(live: &LiveSession, source: &SourceName, seqs: std::ops::RangeInclusive<u64>) {
        let take = Take { before: seqs.start() - 1, through: *seqs.end(), fates: Vec::new() };
        let samples: Vec<Sample> = seqs.map(|seq| Sample::new(seq, seq, Vec::new())).collect();
        live.publish(source, &take, &samples.iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_watcher_gets_what_continues_from_its_seq() {
        let live = Hub::default().join(SessionId(Uuid::now_v7()));
        let main = SourceName::default();
        publish(&live, &main, 1..=2);
        let mut subscription = live.watch();
        let nobody = Presence::default();
        assert_eq!(subscription.look(&nobody, &BTreeMap::new()).next, [], "nobody watched yet");
        publish(&live, &main, 3..=4);
        publish(&live, &main, 5..=6);
        let mut at = |seq| subscription.look(&nobody, &BTreeMap::from([(main.clone(), seq)])).next.pop();
        let firsts = |next| match next {
            Some(Step::Send(_, batches)) => batches.iter().map(|batch| batch.first).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(firsts(at(2)), [3, 5]);
        assert_eq!(firsts(at(4)), [5]);
        assert_eq!(at(6), None);
        assert_eq!(at(0), Some(Step::ReadStore(main.clone(), 6)));
        assert_eq!(at(3), Some(Step::ReadStore(main.clone(), 6)), "half of a batch is not sent twice");
    }

    #[test]
    fn presence_counts_those_connected() {
        let live = Hub::default().join(SessionId(Uuid::now_v7()));
        let main = SourceName::default();
        let first = live.claim(&main);
        let mut subscription = live.watch();
        let both = Presence { sources: vec![main.clone()], watchers: 1 };
        assert_eq!(live.presence(), both);
        let seen = |subscription: &mut Subscription, known: &Presence| {
            subscription.look(known, &BTreeMap::new()).presence
        };
        assert_eq!(seen(&mut subscription, &Presence::default()), Some(both.clone()));
        assert_eq!(seen(&mut subscription, &both), None, "it is known");
        let second = live.claim(&main);
        drop(first);
        assert_eq!(live.presence().sources.len(), 1, "the newer one is still there");
        drop(second);
        drop(subscription);
        assert_eq!(live.presence(), Presence { sources: vec![], watchers: 0 });
    }
}
