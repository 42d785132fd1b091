//! What the relay survives without losing what it acked: one module a kind of trouble.

mod disk;
mod endings;
mod hostile;
mod postgres;
mod redis;
mod refusals;
mod rejects;
mod replicas;
mod slow;
mod soak;
mod stage;
mod strangers;
