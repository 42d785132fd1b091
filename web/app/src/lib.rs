//! The page: what a person sees of Mien, and the few choices they make.
//!
//! It decides nothing about frames or samples: `mien-engine` analyses and records, the page shows. From the top: `pages`
//! own the state of one address; `components` show one thing each; `draw` puts the model on a canvas; `saved` is what
//! this device remembers; `browser` holds the handful of calls to the document. The `model` at the bottom is pure and
//! tested natively.

#![forbid(unsafe_code)]
// The component macro writes `pub` whatever the component says.
#![cfg_attr(target_arch = "wasm32", allow(unreachable_pub))]

pub mod model;

// Everything below needs a document, and is built for the browser alone.
#[cfg(target_arch = "wasm32")]
mod analysis;
#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(target_arch = "wasm32")]
mod components;
#[cfg(target_arch = "wasm32")]
mod draw;
#[cfg(target_arch = "wasm32")]
mod fault;
#[cfg(target_arch = "wasm32")]
mod page_owner;
#[cfg(target_arch = "wasm32")]
mod pages;
#[cfg(target_arch = "wasm32")]
mod router;
#[cfg(target_arch = "wasm32")]
mod saved;
#[cfg(target_arch = "wasm32")]
mod source_signals;

#[cfg(target_arch = "wasm32")]
pub use app::mount;
