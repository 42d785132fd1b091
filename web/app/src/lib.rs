//! The page: what a person sees of Mien, and the few choices they make.
//!
//! It decides nothing about frames or samples: `mien-engine` analyses and records, the page shows. The
//! `model` is pure and tested natively; `draw` puts it on a canvas, `components` show one thing each, `pages`
//! own the state of one address, `browser` holds the handful of calls to the document.

#![forbid(unsafe_code)]

pub mod model;
