//! Who has a place among the HTTP connections, and who goes when there are too many. Pure: it decides, and tells the
//! connection's [`Link`].
//!
//! Nobody waits to be let in. A newcomer takes the place of the oldest connection without a complete request, which is
//! asked to go: it first reads what has come meanwhile, and stays if that is a request. One that has only just come is
//! not asked while there is any place at all, as its client may not have got round to asking. So a burst of honest
//! clients loses nobody, and those who stay silent make room for the next.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::link::Link;

/// Of connections whose every other place is taken by requests under way, so many may wait all the same: whoever comes
/// then has the time to ask, if only whether the relay is alive.
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
    /// For how long one that waits is not asked to go.
    pub(super) grace: Duration,
}

#[derive(Debug)]
pub(super) struct Table {
    limits: Limits,
    /// By number, so in the order in which they came.
    seats: BTreeMap<u64, Seat>,
    addresses: HashMap<IpAddr, Address>,
    /// Counts up with every connection that begins to wait.
    turn: u64,
    waiting: usize,
    asked: usize,
}

#[derive(Debug)]
struct Seat {
    address: IpAddr,
    state: State,
    /// It waits since then.
    since: Instant,
    /// Whose request is under way.
    client: Option<IpAddr>,
    link: Arc<Link>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Has no complete request, since that turn.
    Waiting(u64),
    /// The same, and was asked to go.
    Asked,
    Busy,
}

/// Connections of one address.
#[derive(Debug, Default)]
struct Address {
    trusted: bool,
    all: usize,
    asked: usize,
    /// By turn, the oldest first.
    waiting: BTreeMap<u64, u64>,
}

impl Table {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, seats: BTreeMap::new(), addresses: HashMap::new(), turn: 0, waiting: 0, asked: 0 }
    }

    /// Lets a connection in, and asks others to go for it. A trusted proxy's may be as many as there are places.
    pub(super) fn enter(&mut self, id: u64, address: IpAddr, trusted: bool, link: Arc<Link>) {
        let now = Instant::now();
        while !trusted && self.address_is_full(address) {
            let oldest = self.addresses.get(&address).and_then(Address::oldest);
            let Some(oldest) = oldest.filter(|id| self.has_had_time(*id, now)) else { break };
            self.ask(oldest);
        }
        while is_full(self.limits.places, self.seats.len(), self.waiting, self.asked) {
            let oldest = self.oldest_of_the_fullest();
            let Some(oldest) = oldest.filter(|id| self.has_had_time(*id, now)) else { break };
            self.ask(oldest);
        }
        if self.seats.len() - self.asked >= self.limits.all {
            match self.oldest_of_the_fullest() {
                Some(oldest) => self.ask(oldest),
                None => self.cut_one(),
            }
        }
        let of_address = self.addresses.entry(address).or_default();
        of_address.trusted = trusted;
        of_address.all += 1;
        self.seats.insert(id, Seat { address, state: State::Busy, since: now, client: None, link });
        self.wait(id);
    }

    /// The connection has a complete request.
    pub(super) fn busy(&mut self, id: u64) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let Some(of_address) = self.addresses.get_mut(&seat.address) else { return };
        match std::mem::replace(&mut seat.state, State::Busy) {
            State::Waiting(turn) => {
                of_address.waiting.remove(&turn);
                self.waiting -= 1;
            }
            State::Asked => {
                seat.link.stay();
                of_address.asked -= 1;
                self.asked -= 1;
            }
            State::Busy => {}
        }
    }

    /// The connection's request is one of those under way, of this client.
    pub(super) fn under_way(&mut self, id: u64, client: IpAddr) {
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.client = Some(client);
        }
    }

    /// The connection has been answered, and waits for its next request.
    pub(super) fn wait(&mut self, id: u64) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let Some(of_address) = self.addresses.get_mut(&seat.address) else { return };
        seat.client = None;
        if seat.state == State::Busy {
            self.turn += 1;
            seat.state = State::Waiting(self.turn);
            seat.since = Instant::now();
            of_address.waiting.insert(self.turn, id);
            self.waiting += 1;
        }
    }

    /// The connection is gone, or no longer speaks HTTP.
    pub(super) fn leave(&mut self, id: u64) {
        // Whatever it was, it is now counted as one thing alone.
        self.busy(id);
        let Some(seat) = self.seats.remove(&id) else { return };
        let Some(of_address) = self.addresses.get_mut(&seat.address) else { return };
        of_address.all -= 1;
        if of_address.all == 0 {
            self.addresses.remove(&seat.address);
        }
    }

    /// Connections that were told to go and have not done so yet.
    pub(super) fn going(&self) -> usize {
        self.asked
    }

    /// Whether an answer on this connection had better be its last: soon someone else may need the place.
    pub(super) fn is_crowded(&self, id: u64) -> bool {
        let crowded = |limit: usize, all: usize| all * 4 >= limit * 3;
        let Some(of_address) = self.seats.get(&id).and_then(|seat| self.addresses.get(&seat.address)) else {
            return false;
        };
        (!of_address.trusted && crowded(self.limits.per_address, of_address.all - of_address.asked))
            || crowded(self.limits.places, self.seats.len() - self.asked)
    }

    /// Cuts the oldest slow one of the client that has the most under way, if that are more than this client's.
    pub(super) fn displace_for(&mut self, client: IpAddr) {
        let mut under_way: HashMap<IpAddr, usize> = HashMap::new();
        for client in self.seats.values().filter_map(|seat| seat.client) {
            *under_way.entry(client).or_default() += 1;
        }
        let own = under_way.get(&client).copied().unwrap_or_default();
        let Some((fullest, most)) = under_way.into_iter().max_by_key(|(_, count)| *count) else { return };
        if most <= own + 1 {
            return;
        }
        let mut theirs = self.seats.values().filter(|seat| seat.client == Some(fullest));
        if let Some(slow) = theirs.find(|seat| seat.link.is_slow()) {
            slow.link.cut();
        }
    }

    fn has_had_time(&self, id: u64, now: Instant) -> bool {
        self.seats.get(&id).is_some_and(|seat| now.duration_since(seat.since) >= self.limits.grace)
    }

    fn address_is_full(&self, address: IpAddr) -> bool {
        self.addresses.get(&address).is_some_and(|of_address| {
            is_full(self.limits.per_address, of_address.all, of_address.waiting.len(), of_address.asked)
        })
    }

    fn oldest_of_the_fullest(&self) -> Option<u64> {
        let waiting = self.addresses.values().filter(|of_address| !of_address.waiting.is_empty());
        waiting.max_by_key(|of_address| (!of_address.trusted, of_address.all)).and_then(Address::oldest)
    }

    fn ask(&mut self, id: u64) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let Some(of_address) = self.addresses.get_mut(&seat.address) else { return };
        let State::Waiting(turn) = std::mem::replace(&mut seat.state, State::Asked) else { return };
        of_address.waiting.remove(&turn);
        of_address.asked += 1;
        self.waiting -= 1;
        self.asked += 1;
        seat.link.ask();
    }

    /// At the very end of places: one whose request has no place among those under way, else the oldest.
    fn cut_one(&mut self) {
        let without = self.seats.values().find(|seat| seat.client.is_none() && !seat.link.is_cut());
        let one = without.or_else(|| self.seats.values().find(|seat| !seat.link.is_cut()));
        if let Some(seat) = one {
            seat.link.cut();
        }
    }
}

impl Address {
    fn oldest(&self) -> Option<u64> {
        self.waiting.values().next().copied()
    }
}

/// Whether one that waits must go before another may come. Those that were asked to go are as good as gone.
fn is_full(limit: usize, all: usize, waiting: usize, asked: usize) -> bool {
    let busy = all - waiting - asked;
    waiting >= limit.saturating_sub(busy).max(RESERVE.min(limit.div_ceil(4)))
}

#[cfg(test)]
mod tests;
