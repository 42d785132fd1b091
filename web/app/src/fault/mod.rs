//! What went wrong, for the person in front of the page: what happened, what is safe, what to do.

mod api;
mod description;
mod engine;
mod kind;
mod sessions;

pub(crate) use api::{is_transient, sentences};
pub(crate) use description::{Fault, Remedy};
pub(crate) use kind::FaultKind;
