//! One page for each address. A page owns the state of its address; components show it.

mod demo;
mod home;
mod local_run;
mod missing;
mod samples;
mod session;
mod start;
mod watch;

pub(crate) use demo::{Demo, PickedFileSlot};
pub(crate) use home::Home;
pub(crate) use missing::Missing;
pub(crate) use session::SessionPage;
pub(crate) use start::Start;
pub(crate) use watch::WatchPage;
