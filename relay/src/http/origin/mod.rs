//! Requests from pages of other origins.

mod check;
mod forwarded;
pub(super) mod guard;
mod refusal;

pub(crate) use check::is_allowed;
pub(crate) use refusal::foreign_origin;
