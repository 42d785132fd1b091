//! The few things that the page asks of the document: addresses, storage, clipboard, downloads, preferences.
//!
//! Each reports plainly if the browser refuses (private mode, no permission), so that no caller needs to know why.

mod address;
mod clipboard;
mod download;
pub(crate) mod focus;
mod preferences;
mod storage;
mod time;
pub(crate) mod title;
mod wake_lock;

pub(crate) use address::{HistoryStep, fragment, pathname, reload, show_address};
pub(crate) use clipboard::copy;
pub(crate) use download::download;
pub(crate) use preferences::{SchemeGuard, prefers_reduced_data, prefers_reduced_motion};
pub(crate) use storage::WebStorage;
pub(crate) use time::{date_and_time, steady_ms, time_of_day};
pub(crate) use wake_lock::WakeLock;
