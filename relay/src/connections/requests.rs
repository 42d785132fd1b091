//! Requests in progress: limited per client and in total. Others wait for a while, in order of arrival.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(super) struct Requests {
    all: Arc<Semaphore>,
    /// Places in the queue.
    queue: Semaphore,
    clients: Mutex<HashMap<IpAddr, Client>>,
    places: usize,
    per_client: usize,
    timeout: Duration,
}

#[derive(Debug)]
struct Client {
    places: Arc<Semaphore>,
    /// Requests under way or in the queue.
    requests: usize,
}

/// Admits one request; released when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    _all: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
    _entry: Entry,
}

/// A client's entry, which goes with its last request.
#[derive(Debug)]
struct Entry {
    requests: Arc<Requests>,
    client: IpAddr,
}

impl Requests {
    pub(super) fn new(places: usize, queue: usize, per_client: usize, timeout: Duration) -> Self {
        Self {
            all: Arc::new(Semaphore::new(places)),
            queue: Semaphore::new(queue),
            clients: Mutex::default(),
            places,
            per_client: per_client.min(places),
            timeout,
        }
    }

    /// `None` if there was no place in time. A trusted proxy that did not say for whom it asks may have all places.
    /// `make_room` is called if others hold every place and this client has less than its share.
    pub(super) async fn enter(
        self: &Arc<Self>,
        client: IpAddr,
        trusted: bool,
        make_room: impl FnOnce(),
    ) -> Option<Permit> {
        let (entry, own, is_modest) = self.join(client, trusted);
        let at_once = || {
            let own = Arc::clone(&own).try_acquire_owned().ok()?;
            Some((own, Arc::clone(&self.all).try_acquire_owned().ok()?))
        };
        let (own, all) = if let Some(places) = at_once() {
            places
        } else {
            let _queued = self.queue.try_acquire().ok()?;
            if is_modest && self.all.available_permits() == 0 {
                make_room();
            }
            let wait = async {
                let own = own.acquire_owned().await.ok()?;
                Some((own, Arc::clone(&self.all).acquire_owned().await.ok()?))
            };
            tokio::time::timeout(self.timeout, wait).await.ok()??
        };
        Some(Permit { _all: all, _own: own, _entry: entry })
    }

    fn join(self: &Arc<Self>, client: IpAddr, trusted: bool) -> (Entry, Arc<Semaphore>, bool) {
        let mut clients = self.clients();
        let limit = if trusted { self.places } else { self.per_client };
        let of_client = clients
            .entry(client)
            .or_insert_with(|| Client { places: Arc::new(Semaphore::new(limit)), requests: 0 });
        of_client.requests += 1;
        let (places, requests) = (Arc::clone(&of_client.places), of_client.requests);
        let is_modest = requests * clients.len() <= self.places;
        (Entry { requests: Arc::clone(self), client }, places, is_modest)
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<IpAddr, Client>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut clients = self.requests.clients();
        if let Some(of_client) = clients.get_mut(&self.client) {
            of_client.requests -= 1;
            if of_client.requests == 0 {
                clients.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_its_share_and_others_theirs() {
        let requests = Arc::new(Requests::new(4, 8, 2, Duration::from_secs(5)));
        let enter = |last| {
            let requests = Arc::clone(&requests);
            async move { requests.enter(address(last), false, || {}).await }
        };
        let first = enter(1).await.unwrap();
        let _second = enter(1).await.unwrap();
        let _other = enter(2).await.unwrap();
        assert!(enter(1).await.is_none(), "its places are taken");
        let waits = tokio::spawn(enter(1));
        tokio::task::yield_now().await;
        drop(first);
        assert!(waits.await.unwrap().is_some(), "who waits gets the place that was given back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_with_little_makes_those_with_much_go() {
        let requests = Arc::new(Requests::new(4, 8, 4, Duration::from_secs(5)));
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(requests.enter(address(1), false, || {}).await.unwrap());
        }
        let greedy = requests.enter(address(1), false, || panic!("it has all of them"));
        assert!(greedy.await.is_none());
        let modest = requests.enter(address(2), false, || held.truncate(3));
        assert!(modest.await.is_some());
        drop(held);
        assert!(requests.clients().is_empty(), "nothing is kept of those who are gone");
    }

    #[tokio::test(start_paused = true)]
    async fn the_line_has_an_end() {
        let requests = Arc::new(Requests::new(1, 1, 1, Duration::from_secs(5)));
        let _held = requests.enter(address(1), true, || {}).await.unwrap();
        let line = requests.enter(address(2), false, || {});
        let late = async {
            tokio::task::yield_now().await;
            let asked = tokio::time::Instant::now();
            (requests.enter(address(3), false, || {}).await.is_none(), asked.elapsed())
        };
        let (in_line, (refused, after)) = tokio::join!(line, late);
        assert!(in_line.is_none() && refused);
        assert_eq!(after, Duration::ZERO);
    }
}
