//! The live view of a session.
//!
//! The machine that decides (`receiver`) is pure, and so is its measure of what is live and what is history (`pace`);
//! `Watch` joins them with the link's driver. The receiver remembers the last seq of each source, so that a connection
//! after a cut goes on where the last one ended.
//!
//! A watcher that joins a session of several hours does not begin at its start. A first, short connection asks only for
//! what is new; its welcome tells how far each source has come (`throughs`), and the connection that then stays begins
//! some thousand samples before that. Earlier parts come through the HTTP interface, on demand. Of a session that has
//! just begun (its id contains the time) everything is requested at once, and one connection is enough.

mod event;
mod handle;
mod pace;
mod receiver;

pub use event::{Begin, Behind, WatchEvent, WatchState};
pub use handle::Watch;
pub use pace::SourcePace;
