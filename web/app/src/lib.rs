//! The page: what a person sees of Mien, and the few choices they make.
//!
//! It decides nothing about frames or samples: `mien-engine` analyses and records, the page shows. The `model`
//! is pure and tested natively; `draw` puts it on a canvas, `components` show one thing each, `pages` own the
//! state of one address, `browser` holds the handful of calls to the document.

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
mod focus;
#[cfg(target_arch = "wasm32")]
mod kept;
#[cfg(target_arch = "wasm32")]
mod pages;
#[cfg(target_arch = "wasm32")]
mod reading;
#[cfg(target_arch = "wasm32")]
mod router;
#[cfg(target_arch = "wasm32")]
mod title;

#[cfg(target_arch = "wasm32")]
pub use app::mount;
