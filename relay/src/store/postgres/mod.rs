//! The store over Postgres, which several relays may share.
//!
//! Readers and lanes of the batcher draw connections from one pool. What must not happen twice or at once is
//! serialised by row locks, never by a relay's own memory: first a session's row, then the rows of its sources
//! in the order of their keys, so that there is no deadlock. Every call has a time limit, even when the server hangs
//! or vanishes, and one that exceeds it closes its connection instead of returning it to the pool.

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
