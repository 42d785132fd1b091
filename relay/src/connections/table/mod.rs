//! Which HTTP connections are kept, and which close when there are too many. Pure: it decides, and tells the
//! [`Connection`].
//!
//! No connection waits to be accepted. A new one takes the place of the oldest one without a complete request, which is
//! asked to close: it first reads what has arrived in the meantime, and stays if that is a request. One that has only
//! just arrived is not asked while there is any place at all, as its client may not have sent its request yet. So a
//! burst of honest clients loses none of them, and silent ones make room for the next.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// Connections that may wait even if requests in progress take all other places, so that a client that arrives then has
/// time to ask, if only whether the relay is alive.
const RESERVE: usize = 64;

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// In whatever state.
    pub(super) all: usize,
    /// Without a complete request, and as many with one.
    pub(super) places: usize,
    /// Of one address.
    pub(super) per_address: usize,
    /// For how long a waiting connection is not asked to close.
    pub(super) grace: Duration,
}

#[derive(Debug)]
pub(super) struct Table {
    limits: Limits,
    /// By number, and so in the order in which they came.
    entries: BTreeMap<u64, Entry>,
    addresses: HashMap<IpAddr, Address>,
    /// Counts up with every connection that begins to wait.
    sequence: u64,
    waiting: usize,
    closing: usize,
}

#[derive(Debug)]
struct Entry {
    address: IpAddr,
    state: State,
    /// It has been waiting since then.
    since: Instant,
    /// Whose request is under way.
    client: Option<IpAddr>,
    connection: Arc<Connection>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Has no complete request, since that sequence number.
    Waiting(u64),
    /// The same, and was asked to close.
    Closing,
    Busy,
}

/// Connections of one address.
#[derive(Debug, Default)]
struct Address {
    trusted: bool,
    all: usize,
    closing: usize,
    /// By sequence number, the oldest first.
    waiting: BTreeMap<u64, u64>,
}

impl Table {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            addresses: HashMap::new(),
            sequence: 0,
            waiting: 0,
            closing: 0,
        }
    }

    /// Adds a connection, and asks others to close for it. A trusted proxy's may be as many as there are places.
    pub(super) fn enter(&mut self, id: u64, address: IpAddr, trusted: bool, connection: Arc<Connection>) {
        let now = Instant::now();
        while !trusted && self.address_is_full(address) {
            let oldest = self.addresses.get(&address).and_then(Address::oldest);
            let Some(oldest) = oldest.filter(|id| self.has_had_time(*id, now)) else { break };
            self.request_close(oldest);
        }
        while is_full(self.limits.places, self.entries.len(), self.waiting, self.closing) {
            let oldest = self.oldest_of_the_fullest();
            let Some(oldest) = oldest.filter(|id| self.has_had_time(*id, now)) else { break };
            self.request_close(oldest);
        }
        if self.entries.len() - self.closing >= self.limits.all {
            match self.oldest_of_the_fullest() {
                Some(oldest) => self.request_close(oldest),
                None => self.cut_one(),
            }
        }
        let of_address = self.addresses.entry(address).or_default();
        of_address.trusted = trusted;
        of_address.all += 1;
        self.entries.insert(id, Entry { address, state: State::Busy, since: now, client: None, connection });
        self.wait(id);
    }

    /// The connection has a complete request.
    pub(super) fn busy(&mut self, id: u64) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Some(of_address) = self.addresses.get_mut(&entry.address) else { return };
        match std::mem::replace(&mut entry.state, State::Busy) {
            State::Waiting(sequence) => {
                of_address.waiting.remove(&sequence);
                self.waiting -= 1;
            }
            State::Closing => {
                entry.connection.cancel_close();
                of_address.closing -= 1;
                self.closing -= 1;
            }
            State::Busy => {}
        }
    }

    /// The connection's request is now in progress, for this client.
    pub(super) fn under_way(&mut self, id: u64, client: IpAddr) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.client = Some(client);
        }
    }

    /// The connection has been answered, and waits for its next request.
    pub(super) fn wait(&mut self, id: u64) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Some(of_address) = self.addresses.get_mut(&entry.address) else { return };
        entry.client = None;
        if entry.state == State::Busy {
            self.sequence += 1;
            entry.state = State::Waiting(self.sequence);
            entry.since = Instant::now();
            of_address.waiting.insert(self.sequence, id);
            self.waiting += 1;
        }
    }

    /// The connection has ended, or no longer speaks HTTP.
    pub(super) fn leave(&mut self, id: u64) {
        // Whatever it was, it now only counts as busy.
        self.busy(id);
        let Some(entry) = self.entries.remove(&id) else { return };
        let Some(of_address) = self.addresses.get_mut(&entry.address) else { return };
        of_address.all -= 1;
        if of_address.all == 0 {
            self.addresses.remove(&entry.address);
        }
    }

    /// Connections that were asked to close and have not done so.
    pub(super) fn closing(&self) -> usize {
        self.closing
    }

    /// Whether an answer on this connection should be its last, as another may soon need the place.
    pub(super) fn is_crowded(&self, id: u64) -> bool {
        let crowded = |limit: usize, all: usize| all * 4 >= limit * 3;
        let Some(of_address) = self.entries.get(&id).and_then(|entry| self.addresses.get(&entry.address))
        else {
            return false;
        };
        (!of_address.trusted && crowded(self.limits.per_address, of_address.all - of_address.closing))
            || crowded(self.limits.places, self.entries.len() - self.closing)
    }

    /// Cuts the oldest slow connection of the client with the most requests in progress, if that is more than this
    /// client has.
    pub(super) fn displace_for(&mut self, client: IpAddr) {
        let mut under_way: HashMap<IpAddr, usize> = HashMap::new();
        for client in self.entries.values().filter_map(|entry| entry.client) {
            *under_way.entry(client).or_default() += 1;
        }
        let own = under_way.get(&client).copied().unwrap_or_default();
        let Some((fullest, most)) = under_way.into_iter().max_by_key(|(_, count)| *count) else { return };
        if most <= own + 1 {
            return;
        }
        let mut theirs = self.entries.values().filter(|entry| entry.client == Some(fullest));
        if let Some(slow) = theirs.find(|entry| entry.connection.is_slow()) {
            slow.connection.cut();
        }
    }

    fn has_had_time(&self, id: u64, now: Instant) -> bool {
        self.entries.get(&id).is_some_and(|entry| now.duration_since(entry.since) >= self.limits.grace)
    }

    fn address_is_full(&self, address: IpAddr) -> bool {
        self.addresses.get(&address).is_some_and(|of_address| {
            is_full(self.limits.per_address, of_address.all, of_address.waiting.len(), of_address.closing)
        })
    }

    fn oldest_of_the_fullest(&self) -> Option<u64> {
        let waiting = self.addresses.values().filter(|of_address| !of_address.waiting.is_empty());
        waiting.max_by_key(|of_address| (!of_address.trusted, of_address.all)).and_then(Address::oldest)
    }

    fn request_close(&mut self, id: u64) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Some(of_address) = self.addresses.get_mut(&entry.address) else { return };
        let State::Waiting(sequence) = std::mem::replace(&mut entry.state, State::Closing) else { return };
        of_address.waiting.remove(&sequence);
        of_address.closing += 1;
        self.waiting -= 1;
        self.closing += 1;
        entry.connection.request_close();
    }

    /// When every place is taken: cuts one whose request is not in progress, or else the oldest.
    fn cut_one(&mut self) {
        let without =
            self.entries.values().find(|entry| entry.client.is_none() && !entry.connection.is_cut());
        let one = without.or_else(|| self.entries.values().find(|entry| !entry.connection.is_cut()));
        if let Some(entry) = one {
            entry.connection.cut();
        }
    }
}

impl Address {
    fn oldest(&self) -> Option<u64> {
        self.waiting.values().next().copied()
    }
}

/// Whether a waiting one must close before another may come. Those already asked to close count as closed.
fn is_full(limit: usize, all: usize, waiting: usize, closing: usize) -> bool {
    let busy = all - waiting - closing;
    waiting >= limit.saturating_sub(busy).max(RESERVE.min(limit.div_ceil(4)))
}

#[cfg(test)]
mod tests;
