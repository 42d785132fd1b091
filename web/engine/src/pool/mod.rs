//! The inference workers: `schedule` decides which worker gets which frame, `order` puts answers back into the order
//! of capture, and `workers` drives real workers by both.

mod job;
mod order;
mod schedule;
mod worker_slot;
mod workers;

pub(crate) use job::{Answer, Job, PoolEvent, Snapshot};
pub(crate) use schedule::size_for;
pub(crate) use workers::WorkerPool;
