//! The scenarios: which load, against what, and the required result.

mod capacity;
mod compare;
mod idle;
mod load;
mod plan;
mod run;
mod scenario;
mod watch;

pub(crate) use self::plan::{Plan, Stores};
pub(crate) use self::run::{compare, run};
pub(crate) use self::scenario::Scenario;
