//! What a watcher reports, and from where it watches.

#[cfg(not(target_arch = "wasm32"))]
mod any_line;
mod cases;
mod trouble;
mod watcher;
