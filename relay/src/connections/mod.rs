//! HTTP connections, until they end or become WebSockets: who has a place, who goes when there are too many, how long
//! each may take.
//!
//! Everybody is let in. What is bounded is how many wait without a complete request (the oldest goes), and how many
//! requests are under way, of one client and in all (the next wait in a line). Health is answered whatever else there
//! is. No peer holds a place for nothing: a request has its time to come, and an answer has a least speed.

mod accept;
mod base_path;
mod body;
pub mod client;
mod file_descriptors;
mod link;
mod pace;
mod requests;
mod stream;
mod table;

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::Notify;

use crate::config::Config;
use requests::Requests;
use table::{Limits, Table};

pub(crate) use accept::{Served, accept};
pub(crate) use file_descriptors::fit;
pub(crate) use link::Link;

/// Shared by all connections of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    table: Mutex<Table>,
    requests: Arc<Requests>,
    trusted: Vec<IpNet>,
    last_id: AtomicU64,
    /// One that was asked to go has gone, or stays.
    left: Notify,
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
struct Place(Arc<Link>);

impl Connections {
    /// A quarter of all places is for those that wait, a quarter for requests under way, and half for the line.
    pub(crate) fn new(config: &Config) -> Self {
        let all = config.max_http_connections;
        let (places, line) = ((all / 4).max(1), (all / 2).max(1));
        let per_address = config.max_http_connections_per_address.min(places);
        let requests = Requests::new(places, line, per_address, config.timeouts.line);
        Self(Arc::new(Shared {
            table: Mutex::new(Table::new(Limits { all, places, per_address, grace: config.timeouts.grace })),
            requests: Arc::new(requests),
            trusted: config.trusted_proxies.clone(),
            last_id: AtomicU64::default(),
            left: Notify::new(),
        }))
    }

    fn enter(&self, peer: SocketAddr) -> Place {
        let id = self.0.last_id.fetch_add(1, Ordering::Relaxed);
        let link = Arc::new(Link::new(id, Arc::clone(&self.0)));
        let trusted = client::is_trusted(peer.ip(), &self.0.trusted);
        self.0.table().enter(id, client::network(peer.ip()), trusted, Arc::clone(&link));
        Place(link)
    }

    /// Gives a client's request a place among those under way. `false` where there was none in time.
    pub(crate) async fn admit(&self, link: &Link, client: IpAddr) -> bool {
        let trusted = client::is_trusted(client, &self.0.trusted);
        let client = client::network(client);
        let make_room = || self.0.table().displace_for(client);
        let Some(permit) = self.0.requests.enter(client, trusted, make_room).await else { return false };
        self.0.table().under_way(link.id(), client);
        link.hold(permit);
        true
    }

    /// Returns when few of those that were asked to go are still there: a moment, as none of them waits for its peer.
    async fn settled(&self, most: usize) {
        loop {
            let left = self.0.left.notified();
            if self.0.table().going() <= most {
                return;
            }
            left.await;
        }
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self, id: u64) {
        self.table().busy(id);
        self.left.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let shared = self.0.connections().0;
        shared.table().leave(self.0.id());
        shared.left.notify_one();
    }
}
