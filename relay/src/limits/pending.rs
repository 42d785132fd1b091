//! Slots for sockets that have not said hello, so that nobody knows whose they are.
//!
//! There are few, so that strangers cost little, and fewer for each address. A socket that finds them taken waits in
//! line; one that has had a slot for a while without saying hello is evicted for those that wait. So many sockets that
//! say hello promptly pass through a handful of slots, even from one address, and silent strangers keep nobody out.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SetOnce};
use tokio::time::Instant;

use crate::config::PendingLimits;

/// Between two looks for a slot that may be evicted, while nobody has had one for long enough.
const EVICTION_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct PendingSockets(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: PendingLimits,
    all: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    numbers: u64,
    /// By the order in which they got their slots.
    holders: BTreeMap<u64, Holder>,
    /// Of addresses that have a slot or wait for one.
    addresses: HashMap<IpAddr, Arc<Semaphore>>,
}

#[derive(Debug)]
struct Holder {
    address: IpAddr,
    since: Instant,
    evicted: Arc<SetOnce<()>>,
    /// One of all, and one of its address.
    _permits: [OwnedSemaphorePermit; 2],
}

/// A slot, until it is released, evicted or dropped.
#[derive(Debug)]
pub struct PendingSlot {
    pending: PendingSockets,
    number: u64,
    evicted: Arc<SetOnce<()>>,
}

impl PendingSockets {
    pub fn new(limits: PendingLimits) -> Self {
        let all = Arc::new(Semaphore::new(limits.total));
        Self(Arc::new(Inner { limits, all, state: Mutex::default() }))
    }

    /// A slot for a socket of this address, in order. Dropped, it waits no longer.
    pub(crate) async fn slot(&self, address: IpAddr) -> PendingSlot {
        let of_address = self.of_address(address);
        // The address's own first: an address with many sockets waits here, and not ahead of all others.
        let own = self.acquire(&of_address, |holder| holder.address == address).await;
        let one = self.acquire(&self.0.all, |_| true).await;
        let evicted = Arc::<SetOnce<()>>::default();
        let mut state = self.lock();
        state.numbers += 1;
        let number = state.numbers;
        let holder =
            Holder { address, since: Instant::now(), evicted: Arc::clone(&evicted), _permits: [one, own] };
        state.holders.insert(number, holder);
        drop(state);
        PendingSlot { pending: self.clone(), number, evicted }
    }

    /// Returns once nobody has a slot.
    pub async fn none_left(&self) {
        let all = u32::try_from(self.0.limits.total).unwrap_or(u32::MAX);
        // It is never closed.
        let _ = self.0.all.acquire_many(all).await;
    }

    /// Waits for a permit, and evicts the holder that has had one for longest, if that is long enough.
    async fn acquire(&self, places: &Arc<Semaphore>, of: impl Fn(&Holder) -> bool) -> OwnedSemaphorePermit {
        let mut permit = std::pin::pin!(Arc::clone(places).acquire_owned());
        loop {
            tokio::select! {
                biased;
                permit = &mut permit => return permit.expect("the semaphores are never closed"),
                () = self.until_due(&of) => self.evict(&of),
            }
        }
    }

    async fn until_due(&self, of: &impl Fn(&Holder) -> bool) {
        let oldest = self.lock().holders.values().find(|holder| of(holder)).map(|holder| holder.since);
        let now = Instant::now();
        let due = oldest.map_or(now + EVICTION_CHECK_INTERVAL, |since| since + self.0.limits.grace);
        tokio::time::sleep_until(due).await;
    }

    fn evict(&self, of: &impl Fn(&Holder) -> bool) {
        let grace = self.0.limits.grace;
        let mut state = self.lock();
        let oldest = state.holders.iter().find(|(_, holder)| of(holder));
        let Some((&number, _)) = oldest.filter(|(_, holder)| holder.since.elapsed() >= grace) else { return };
        let holder = state.holders.remove(&number);
        drop(state);
        if let Some(holder) = holder {
            let _ = holder.evicted.set(());
        }
    }

    fn of_address(&self, address: IpAddr) -> Arc<Semaphore> {
        let mut state = self.lock();
        if state.addresses.len() >= 2 * self.0.limits.total {
            // Addresses without a holder or waiter.
            state.addresses.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let places = state.addresses.entry(address);
        Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(self.0.limits.per_address))))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is one insert or removal.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PendingSlot {
    /// The client is known now: another may have the slot.
    pub(crate) fn release(&self) {
        let holder = self.pending.lock().holders.remove(&self.number);
        // Its permits are released without the lock.
        drop(holder);
    }

    /// Returns once it is evicted.
    pub(crate) async fn evicted(&self) {
        self.evicted.wait().await;
    }

    /// The result of `work`, or nothing once the slot is evicted.
    pub(crate) async fn while_kept<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.evicted() => None,
        }
    }
}

impl Drop for PendingSlot {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn pending(total: usize, per_address: usize) -> PendingSockets {
        PendingSockets::new(PendingLimits { total, per_address, grace: Duration::from_secs(1) })
    }

    fn address(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    fn lost(place: &PendingSlot) -> bool {
        place.while_kept(std::future::pending::<()>()).now_or_never() == Some(None)
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_was_silent_for_longest_goes() {
        let pending = pending(10, 2);
        let first = pending.slot(address(1)).await;
        tokio::time::advance(Duration::from_millis(600)).await;
        let second = pending.slot(address(1)).await;
        let other = pending.slot(address(2)).now_or_never().expect("another address has places of its own");
        // The clock leaps to the moment at which the first may go.
        let third = pending.slot(address(1)).await;
        assert!(lost(&first) && !lost(&second) && !lost(&third) && !lost(&other));
        let begun = Instant::now();
        let fourth = pending.slot(address(1)).await;
        let waited = begun.elapsed().as_millis();
        assert!((590..700).contains(&waited), "the second has its whole second: {waited} ms");
        assert!(lost(&second) && !lost(&third) && !lost(&fourth));
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_are_taken_the_oldest_of_all_goes() {
        let pending = pending(3, 2);
        let places = [pending.slot(address(1)).await, pending.slot(address(2)).await];
        tokio::time::advance(Duration::from_millis(10)).await;
        let third = pending.slot(address(2)).await;
        let fourth = pending.slot(address(3)).await;
        assert!(lost(&places[0]) && !lost(&places[1]) && !lost(&third) && !lost(&fourth));
        drop((places, third));
        pending.slot(address(1)).now_or_never().expect("there is room again");
        assert!(pending.none_left().now_or_never().is_none());
        drop(fourth);
        assert!(pending.none_left().now_or_never().is_some());
    }

    /// No socket loses a slot that it has not had for long, however many wait.
    #[tokio::test(start_paused = true)]
    async fn a_crowd_takes_turns_and_nobody_loses_a_place() {
        let pending = pending(10, 4);
        let crowd = (0..2_000).map(|_| async {
            let place = pending.slot(address(1)).await;
            place.while_kept(tokio::time::sleep(Duration::from_millis(1))).await
        });
        let passed = futures_util::future::join_all(crowd).await;
        assert!(passed.iter().all(Option::is_some));
        assert!(pending.lock().holders.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_no_trace() {
        let pending = pending(1, 1);
        let _held = pending.slot(address(0)).await;
        for number in 1..=255 {
            assert!(pending.slot(address(number)).now_or_never().is_none());
        }
        assert!(pending.lock().addresses.len() <= 3, "{}", pending.lock().addresses.len());
    }
}
