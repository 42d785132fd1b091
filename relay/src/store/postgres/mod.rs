//! The store over Postgres, which several relays may share.
//!
//! Readers and lanes of the batcher draw connections from one pool. What must not happen twice or at once is
//! kept apart by row locks, never by a relay's own memory: first a session's row, then the rows of its sources
//! in the order of their keys, so that nobody waits in a circle. Every call ends in time, also when the server
//! is frozen or gone without a word, and then closes its connection instead of handing it on.

mod commit;
mod connections;
mod gaps;
mod markers;
mod open;
mod pooler;
mod revocations;
mod samples;
mod series;
mod sessions;
mod sources;
mod target;
mod timeout;
mod trial;

pub(super) use connections::PostgresStore;
pub(super) use timeout::with_timeout;
