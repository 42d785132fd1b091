//! A session under load: several sources, and watchers that see everything.

use mien_kit::load::{Account, Load};
use mien_kit::relay::Relay;
use mien_kit::source::Source;
use mien_kit::stored::{assert_saw_all, assert_stored_once};
use mien_kit::watcher::{Pace, Watcher};
use mien_shared::SessionId;
use mien_shared::api::SessionCreated;

/// A session with sources that send and watchers that read.
pub(crate) struct Workload {
    pub(crate) session: SessionCreated,
    pub(crate) sources: Vec<Source>,
    pub(crate) watchers: Vec<Watcher>,
}

impl Workload {
    pub(crate) async fn start(relay: &Relay, loads: &[Load], watchers: usize) -> Self {
        let api = relay.api();
        let session = api.create_session().await;
        let mut sources = Vec::new();
        for (number, load) in loads.iter().enumerate() {
            let name = format!("source-{number}");
            let token = api.source_token(session.session.id, &name).await;
            sources.push(Source::start(relay.address(), session.session.id, &name, &token, *load));
        }
        let watch =
            |_| Watcher::start(relay.address(), session.session.id, &session.tokens.watch, Pace::Eager);
        let watchers = (0..watchers).map(watch).collect();
        Self { session, sources, watchers }
    }

    /// Adds a watcher, connected to this relay.
    pub(crate) fn watch(&mut self, relay: &Relay) {
        let token = &self.session.tokens.watch;
        self.watchers.push(Watcher::start(relay.address(), self.id(), token, Pace::Eager));
    }

    pub(crate) fn id(&self) -> SessionId {
        self.session.session.id
    }

    /// Waits until each source has this many more samples acked.
    pub(crate) async fn acked_more(&mut self, count: u64) {
        let goals: Vec<u64> = self.sources.iter().map(|source| source.acked() + count).collect();
        for (source, goal) in self.sources.iter_mut().zip(goals) {
            source.acked_to(goal).await;
        }
    }

    /// Everyone finishes; then everything acked must be stored once and must have been seen by all watchers. Returns
    /// the sources' accounts and how the watchers' connections ended.
    pub(crate) async fn finish(self, relay: &Relay) -> (Vec<Account>, Vec<Vec<u16>>) {
        let id = self.id();
        let mut accounts = Vec::new();
        for source in self.sources {
            accounts.push(source.finish().await);
        }
        let mut closes = Vec::new();
        for mut watcher in self.watchers {
            for account in &accounts {
                if let Some(last) = account.expected().last() {
                    watcher.sees(&account.source, *last).await;
                }
            }
            let seen = watcher.finish().await;
            assert_saw_all(&seen, &accounts);
            closes.push(seen.closes);
        }
        assert_stored_once(&relay.api(), id, &accounts).await;
        (accounts, closes)
    }
}
