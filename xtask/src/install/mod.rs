//! What the machine needs, and how it is installed.

pub(crate) mod apt;
mod cache;
pub(crate) mod npm;
pub(crate) mod python;
pub(crate) mod rust;
pub(crate) mod tools;
