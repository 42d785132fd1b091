//! What every suite stands on: relay processes that can be killed and started again in place, sources that keep what is
//! not acked and send it again, watchers that note all they see, and one client each of HTTP and of the sockets.
//!
//! Nothing here stands in for a part of the product, and nothing is measured against a clock: the one limit
//! of time, [`patiently`], turns a hang into a failure. The relay's program is named by `MIEN_RELAY`, which
//! `cargo xtask test` sets; without it, it is taken from the target folder. Suites of plain threads wait with
//! [`blocking::block_on`].

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
