//! The inference workers: `schedule` decides which worker gets which frame, `order` puts the answers back into the
//! order of capture, and `workers` joins both with real workers.

mod order;
mod schedule;
mod workers;

pub(crate) use schedule::size_for;
pub(crate) use workers::{Answer, Crew, CrewEvent, Look, Place, Ticket};
