//! The WebSockets of `mien.v1`.
//!
//! A connection is one task. Buffers are small and every queue is bounded, so ten thousand connections fit into little
//! memory. What a stranger may hold before its hello is counted separately ([`crate::limits::PendingSockets`]) and small
//! ([`frame_limit`]).

mod close_code;
mod coalesce;
mod end;
mod frame_limit;
mod gauge;
mod hello;
mod ingest;
mod readiness;
mod routes;
mod stripped;
mod upgrade;
mod watch;
mod wire;

pub(crate) use routes::routes;
