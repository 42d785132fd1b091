//! All connections of one listener.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::Notify;

use super::client;
use super::connection::Connection;
use super::requests::Requests;
use super::table::{Limits, Table};
use crate::config::Config;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    table: Mutex<Table>,
    requests: Arc<Requests>,
    trusted: Vec<IpNet>,
    last_id: AtomicU64,
    /// One that was asked to close has done so, or stays.
    left: Notify,
}

impl Connections {
    /// A quarter of all places is for connections that wait, a quarter for requests in progress, and half for the
    /// queue.
    pub(crate) fn new(config: &Config) -> Self {
        let all = config.max_http_connections;
        let (places, queue) = ((all / 4).max(1), (all / 2).max(1));
        let per_address = config.max_http_connections_per_address.min(places);
        let requests = Requests::new(places, queue, per_address, config.timeouts.line);
        Self(Arc::new(Shared {
            table: Mutex::new(Table::new(Limits { all, places, per_address, grace: config.timeouts.grace })),
            requests: Arc::new(requests),
            trusted: config.trusted_proxies.clone(),
            last_id: AtomicU64::default(),
            left: Notify::new(),
        }))
    }

    pub(super) fn enter(&self, peer: SocketAddr) -> Arc<Connection> {
        let id = self.0.last_id.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::new(id));
        let trusted = client::is_trusted(peer.ip(), &self.0.trusted);
        self.table().enter(id, client::network(peer.ip()), trusted, Arc::clone(&connection));
        connection
    }

    pub(super) async fn admit(&self, connection: &Connection, client: IpAddr) -> bool {
        let trusted = client::is_trusted(client, &self.0.trusted);
        let client = client::network(client);
        let make_room = || self.table().displace_for(client);
        let Some(permit) = self.0.requests.enter(client, trusted, make_room).await else { return false };
        self.table().under_way(connection.id(), client);
        connection.hold(permit);
        true
    }

    pub(super) fn busy(&self, id: u64) {
        self.table().busy(id);
        self.0.left.notify_one();
    }

    pub(super) fn leave(&self, id: u64) {
        self.table().leave(id);
        self.0.left.notify_one();
    }

    /// Returns when few of those that were asked to close are left: a moment, as none of them waits for its peer.
    pub(super) async fn settled(&self, most: usize) {
        loop {
            let left = self.0.left.notified();
            if self.table().closing() <= most {
                return;
            }
            left.await;
        }
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
