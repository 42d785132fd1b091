//! Schemas of values whose limits no Rust type says: named where a field has a `u64`, a `String` or a `Vec` on the
//! wire, so that the generated documents refuse what the relay refuses.
//!
//! Written by hand, as utoipa's attributes (6.0.0) take literals alone, and the limits are in [`crate::limits`], once.
//! The types that are made here have no values. A list's schema stands beside the type that it lists.

pub(crate) mod component;
mod values;

pub use component::add;
pub(crate) use component::{Schemas, components, list, number, open, text};
pub use values::*;
