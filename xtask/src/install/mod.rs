//! What has to be on the machine, and how it comes there.

pub(crate) mod apt;
mod cache;
pub(crate) mod npm;
pub(crate) mod python;
pub(crate) mod rust;
pub(crate) mod tools;
