//! What the relay survives without losing what it acked: one module a kind of trouble.

mod disk;
mod endings;
mod hostile;
mod refusals;
mod rejects;
mod slow;
mod soak;
mod stage;
