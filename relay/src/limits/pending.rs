//! Places for sockets that have not said hello, of whom nobody knows who they are.
//!
//! There are few, so that strangers cost little, and fewer for each address. Whoever finds them taken waits in turn;
//! and whoever has had one for a while without saying hello loses it to those who wait. So a crowd that says hello at
//! once passes through a handful of places, also from one address, and strangers who say nothing keep nobody out.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SetOnce};
use tokio::time::Instant;

use crate::config::PendingLimits;

/// Between two looks for a place that may be taken away, while nobody has had one for long enough.
const LOOK: Duration = Duration::from_millis(100);

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pending(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: PendingLimits,
    all: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    numbers: u64,
    /// By the order in which they got their places.
    holders: BTreeMap<u64, Holder>,
    /// Of addresses that have a place or wait for one.
    addresses: HashMap<IpAddr, Arc<Semaphore>>,
}

#[derive(Debug)]
struct Holder {
    address: IpAddr,
    since: Instant,
    lost: Arc<SetOnce<()>>,
    /// Its place in all, and in its address's.
    _places: [OwnedSemaphorePermit; 2],
}

/// A place, until it is given back, lost or dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pending: Pending,
    number: u64,
    lost: Arc<SetOnce<()>>,
}

impl Pending {
    pub fn new(limits: PendingLimits) -> Self {
        let all = Arc::new(Semaphore::new(limits.total));
        Self(Arc::new(Inner { limits, all, state: Mutex::default() }))
    }

    /// A place for a socket of this address, in turn. Dropped, it waits no longer.
    pub(crate) async fn place(&self, address: IpAddr) -> Place {
        let of_address = self.of_address(address);
        // The address's own first: who has many waiting waits here, and not before all others.
        let own = self.in_turn(&of_address, |holder| holder.address == address).await;
        let one = self.in_turn(&self.0.all, |_| true).await;
        let lost = Arc::<SetOnce<()>>::default();
        let mut state = self.lock();
        state.numbers += 1;
        let number = state.numbers;
        let holder = Holder { address, since: Instant::now(), lost: Arc::clone(&lost), _places: [one, own] };
        state.holders.insert(number, holder);
        drop(state);
        Place { pending: self.clone(), number, lost }
    }

    /// Returns once nobody has a place.
    pub async fn none_left(&self) {
        let all = u32::try_from(self.0.limits.total).unwrap_or(u32::MAX);
        // It is never closed.
        let _ = self.0.all.acquire_many(all).await;
    }

    /// Waits for a permit, and takes one from whoever has had theirs for longest, and for long enough.
    async fn in_turn(&self, places: &Arc<Semaphore>, of: impl Fn(&Holder) -> bool) -> OwnedSemaphorePermit {
        let mut turn = std::pin::pin!(Arc::clone(places).acquire_owned());
        loop {
            tokio::select! {
                biased;
                permit = &mut turn => return permit.expect("no semaphore here is ever closed"),
                () = self.until_due(&of) => self.take_away(&of),
            }
        }
    }

    async fn until_due(&self, of: &impl Fn(&Holder) -> bool) {
        let oldest = self.lock().holders.values().find(|holder| of(holder)).map(|holder| holder.since);
        let now = Instant::now();
        let due = oldest.map_or(now + LOOK, |since| since + self.0.limits.grace);
        tokio::time::sleep_until(due).await;
    }

    fn take_away(&self, of: &impl Fn(&Holder) -> bool) {
        let grace = self.0.limits.grace;
        let mut state = self.lock();
        let oldest = state.holders.iter().find(|(_, holder)| of(holder));
        let Some((&number, _)) = oldest.filter(|(_, holder)| holder.since.elapsed() >= grace) else { return };
        let holder = state.holders.remove(&number);
        drop(state);
        if let Some(holder) = holder {
            let _ = holder.lost.set(());
        }
    }

    fn of_address(&self, address: IpAddr) -> Arc<Semaphore> {
        let mut state = self.lock();
        if state.addresses.len() >= 2 * self.0.limits.total {
            // Those of whom nobody has or wants a place.
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

impl Place {
    /// Whoever it was is known now: another may have it.
    pub(crate) fn give_back(&self) {
        let holder = self.pending.lock().holders.remove(&self.number);
        // Its permits go back without the lock.
        drop(holder);
    }

    /// Returns once it is lost.
    pub(crate) async fn lost(&self) {
        self.lost.wait().await;
    }

    /// What `work` gives, or nothing once the place is lost.
    pub(crate) async fn while_kept<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.lost() => None,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn pending(total: usize, per_address: usize) -> Pending {
        Pending::new(PendingLimits { total, per_address, grace: Duration::from_secs(1) })
    }

    fn address(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    fn lost(place: &Place) -> bool {
        place.while_kept(std::future::pending::<()>()).now_or_never() == Some(None)
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_was_silent_for_longest_goes() {
        let pending = pending(10, 2);
        let first = pending.place(address(1)).await;
        tokio::time::advance(Duration::from_millis(600)).await;
        let second = pending.place(address(1)).await;
        let other = pending.place(address(2)).now_or_never().expect("another address has places of its own");
        // The clock leaps to the moment at which the first may go.
        let third = pending.place(address(1)).await;
        assert!(lost(&first) && !lost(&second) && !lost(&third) && !lost(&other));
        let begun = Instant::now();
        let fourth = pending.place(address(1)).await;
        let waited = begun.elapsed().as_millis();
        assert!((590..700).contains(&waited), "the second has its whole second: {waited} ms");
        assert!(lost(&second) && !lost(&third) && !lost(&fourth));
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_are_taken_the_oldest_of_all_goes() {
        let pending = pending(3, 2);
        let places = [pending.place(address(1)).await, pending.place(address(2)).await];
        tokio::time::advance(Duration::from_millis(10)).await;
        let third = pending.place(address(2)).await;
        let fourth = pending.place(address(3)).await;
        assert!(lost(&places[0]) && !lost(&places[1]) && !lost(&third) && !lost(&fourth));
        drop((places, third));
        pending.place(address(1)).now_or_never().expect("there is room again");
        assert!(pending.none_left().now_or_never().is_none());
        drop(fourth);
        assert!(pending.none_left().now_or_never().is_some());
    }

    /// Nobody loses a place who has not had it for long, however many wait.
    #[tokio::test(start_paused = true)]
    async fn a_crowd_takes_turns_and_nobody_loses_a_place() {
        let pending = pending(10, 4);
        let crowd = (0..2_000).map(|_| async {
            let place = pending.place(address(1)).await;
            place.while_kept(tokio::time::sleep(Duration::from_millis(1))).await
        });
        let passed = futures_util::future::join_all(crowd).await;
        assert!(passed.iter().all(Option::is_some));
        assert!(pending.lock().holders.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_no_trace() {
        let pending = pending(1, 1);
        let _held = pending.place(address(0)).await;
        for number in 1..=255 {
            assert!(pending.place(address(number)).now_or_never().is_none());
        }
        assert!(pending.lock().addresses.len() <= 3, "{}", pending.lock().addresses.len());
    }
}
