//! What bounds what one user, token, address or session may take. Nothing here knows of HTTP or WebSockets.

pub mod limiter;
pub mod pending;
pub mod read_permits;
pub mod reads;
pub mod sockets;
