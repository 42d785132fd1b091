//! What the relay survives without losing what it acked: one module per kind of trouble.

mod backup;
mod crowds;
mod disk;
mod endings;
mod hostile;
mod moved;
mod postgres;
mod reads;
mod redis;
mod refusals;
mod rejects;
mod replicas;
mod slow;
mod soak;
mod strangers;
mod workload;
