//! The connection to a relay, for a recording as well as for a watcher: `machine` decides and `driver` connects it to
//! the browser.

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
