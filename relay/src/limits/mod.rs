//! What bounds how much one user, token, address or session may take. Nothing here knows of HTTP or WebSockets.

mod bucket;
mod limiter;
mod pending;
mod read_permits;
mod reads;
mod sockets;

pub use bucket::Verdict;
pub use limiter::{Limiter, Sharing, UnsyncedTokens};
pub use pending::{PendingSlot, PendingSockets};
pub use read_permits::{ReadPermit, ReadPermits};
pub(crate) use reads::OWN_SLOT_TIMEOUT;
pub use reads::{NoReadSlot, ReadKind, ReadSlot, ReadSlots};
pub use sockets::{Admission, BAD_TOKENS, CountedSocket, SocketCounts, SocketOwner};
