//! The store over SQLite: one writer, many readers.
//!
//! SQLite takes one writer at a time, so there is one connection that writes, handed from caller to caller
//! in the order in which they asked: a commit of samples, a new session and a chunk of an erasure take turns
//! instead of timing each other out. Readers see the last commit and never wait for the writer (WAL). Each
//! connection has a thread of its own, so no runtime thread waits for a disk.

mod backup;
mod commit;
mod connections;
mod files;
mod gaps;
mod markers;
mod open;
mod pack;
mod revocations;
mod samples;
mod scrub;
mod sessions;
mod sources;
mod trial;
mod unclean;
mod write;

pub(super) use connections::SqliteStore;
