//! Pictures and weights for the tests, and what the analyzer says of them.
#![allow(dead_code, reason = "each test takes what it needs")]

mod cases;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod clip;
mod fixtures;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod photographs;
mod picture;

#[allow(unused_imports, reason = "each test takes what it needs")]
pub(crate) use cases::{Case, cases};
#[allow(unused_imports, reason = "each test takes what it needs")]
pub(crate) use fixtures::{ASTRONAUT, EXPRESSION, FAR, GRACE_HOPPER, NEAR, WEIGHTS};
#[allow(unused_imports, reason = "each test takes what it needs")]
pub(crate) use picture::Picture;
