//! A connection together with the table that it must keep informed.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::HttpBody;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::connection::Connection;
use super::registry::Connections;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    pub(super) connection: Arc<Connection>,
    pub(super) connections: Connections,
}

/// A connection's entry in the table, removed when dropped.
#[derive(Debug)]
pub(super) struct Entry(pub(super) Tracked);

impl Tracked {
    /// A request's head is there, perhaps with all of its body.
    pub(super) fn requested(&self, is_complete: bool) {
        self.connection.requested(is_complete);
        if is_complete {
            self.connections.busy(self.connection.id());
        }
    }

    /// The last of a request's body is there.
    pub(super) fn completed(&self) {
        if self.connection.completed() {
            self.connections.busy(self.connection.id());
        }
    }

    /// An answer is about to be sent: the connection's last if it ends soon (`is_last`) or others may need its place.
    pub(super) fn answers<B: HttpBody>(&self, answer: &mut Response<B>, is_last: bool) {
        let id = self.connection.id();
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.connection.upgraded();
            self.connections.table().leave(id);
            return;
        }
        self.connection.answers(answer.body().size_hint().upper());
        if is_last || self.connections.table().is_crowded(id) {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// The system has all that the server had.
    pub(super) fn flushed(&self) {
        self.connection.flushed(|| self.connections.table().wait(self.connection.id()));
    }

    /// Admits a client's request to those in progress. `false` if there was no permit in time.
    pub(crate) async fn admit(&self, client: IpAddr) -> bool {
        self.connections.admit(&self.connection, client).await
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Tracked { connection, connections } = &self.0;
        connections.leave(connection.id());
    }
}
