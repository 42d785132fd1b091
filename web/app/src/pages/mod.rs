//! One page for each address. A page owns the state of its address; components show it.

mod home;
mod instrument;
mod missing;
mod preview;
mod scope;
mod session;
mod start;
mod trial;
mod unfinished;
mod unsent;
mod watch;

pub(crate) use home::Home;
pub(crate) use missing::Missing;
pub(crate) use session::SessionPage;
pub(crate) use start::Start;
pub(crate) use trial::{Picked, Trial};
pub(crate) use watch::WatchPage;
