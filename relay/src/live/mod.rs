//! Live sessions: who is connected, and what was committed just now.
//!
//! Owns presence, the one connection of each source, and a short memory of committed batches. Nothing is pushed to
//! a watcher: each keeps its own position, is woken by news, and takes what continues from there, or reads the
//! store when this memory no longer reaches back so far. So no watcher can delay another, or the commit, and none
//! can miss a sample.
//!
//! Nothing here waits while it holds a lock, and nothing here knows how other relays are reached: what leaves for
//! them goes into a bounded queue ([`outbox`]).

mod change;
mod claim;
mod dirty;
mod hub;
mod message;
mod outbox;
mod presence;
mod remote;
mod ring;
mod session;
mod state;
mod subscription;
mod token_guard;

pub use change::Change;
pub(crate) use dirty::DirtySessions;
pub use hub::Hub;
pub use message::{json_bytes, samples_message};
pub(crate) use outbox::{OUTBOX_CAPACITY, Outbox, Outgoing, RemoteLink};
pub(crate) use presence::PRESENCE_TIMEOUT;
pub use presence::Presence;
pub(crate) use remote::Unannounced;
pub use ring::CommittedBatch;
pub use session::LiveSession;
pub use state::Phase;
pub(crate) use subscription::REMOTE_TIMEOUT;
pub use subscription::{Step, Subscription, View};

pub use token_guard::TokenGuard;
