//! What a live session remembers, behind its lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use mien_shared::api::SourceName;
use mien_shared::problem::CloseCode;
use tokio::sync::{Mutex, SetOnce};

use super::presence::{Presence, RemotePresence};
use super::ring::Ring;
use crate::auth::Stamp;

/// How far a session has progressed, as far as those connected must know. It never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    #[default]
    Active,
    Completed,
    Erased,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// By name. A list, as most sessions have one source.
    pub(super) holders: Vec<Holder>,
    /// Claims so far: tells an old holder from the one that took over.
    pub(super) claims: u64,
    pub(super) watchers: u64,
    /// Only filled while someone watches.
    pub(super) rings: BTreeMap<SourceName, Ring>,
    pub(super) remote: RemotePresence,
    /// The tokens of all connections that were let in.
    pub(super) tokens: Vec<OpenToken>,
    /// Tells them apart.
    pub(super) tokens_so_far: u64,
}

/// Which connection holds a source, or is about to.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) source: SourceName,
    pub(super) claim: u64,
    pub(super) ended: Arc<SetOnce<CloseCode>>,
    pub(super) lock: Arc<Mutex<()>>,
    /// Its position among the claims of all relays: when it was made, in Unix milliseconds, or later.
    pub(super) position: u64,
    /// Whether the other relays have heard of it.
    pub(super) announced: bool,
}

/// The token of an open connection.
#[derive(Debug)]
pub(super) struct OpenToken {
    pub(super) number: u64,
    pub(super) stamp: Stamp,
    pub(super) revoked: Arc<SetOnce<()>>,
}

impl Holder {
    pub(super) fn supersede(&self) {
        self.end(CloseCode::Superseded);
    }

    /// Tells the connection why it must end. The first reason counts.
    pub(super) fn end(&self, why: CloseCode) {
        let _ = self.ended.set(why);
    }
}

impl State {
    /// Who is connected, if that differs from what the caller knows. Every watcher asks with every sample, so it
    /// compares before it builds a list.
    pub(super) fn presence_unlike(&self, known: &Presence) -> Option<Presence> {
        let same = self.watchers == known.watchers
            && self.holders.iter().map(|holder| &holder.source).eq(&known.sources);
        if same && self.remote.is_empty() {
            return None;
        }
        Some(self.remote.merged_with(self.presence_here())).filter(|presence| presence != known)
    }

    pub(super) fn holder(&mut self, source: &SourceName) -> Option<&mut Holder> {
        self.holders.iter_mut().find(|holder| holder.source == *source)
    }

    pub(super) fn presence_here(&self) -> Presence {
        let sources = self.holders.iter().map(|holder| holder.source.clone()).collect();
        Presence { sources, watchers: self.watchers }
    }
}
