//! The connection to a relay, of a recording as well as of a watcher: `machine` decides and `driver` joins it with the
//! browser.

mod backoff;
mod diagnosis;
mod driver;
mod machine;
mod session_fate;

pub use diagnosis::Trouble;
pub(crate) use driver::{Client, Driver, Protocol};
pub use machine::LinkEnd;
pub(crate) use machine::{Effect, Link, Phase};
pub use session_fate::{SessionFate, session_fate};
