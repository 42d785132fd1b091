//! What every suite is built on: relay processes that can be killed and restarted in place, sources that keep what is
//! not acked and send it again, watchers that record everything they see, and one client each for HTTP and for the
//! sockets.
//!
//! Nothing here replaces a part of the product, and nothing is measured against a clock: the only time limit,
//! [`patiently`], turns a hang into a failure. `MIEN_RELAY`, which `cargo xtask test` sets, names the relay's program;
//! without it, the program is taken from the target folder. Suites with plain threads wait with [`blocking::block_on`].

pub mod api;
pub mod blocking;
pub mod database;
pub mod fill;
pub mod http;
pub mod load;
pub mod parts;
pub mod ports;
pub mod program;
pub mod relay;
pub mod samples;
pub mod socket;
pub mod source;
pub mod stored;
pub mod tmpfs;
mod wait;
pub mod watcher;

pub use database::postgres;
pub use wait::{patiently, until};
