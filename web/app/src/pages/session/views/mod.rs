//! What a person sees of a recording: a view for each phase, and what two of them share.

mod consent;
mod figures;
mod finishing;
mod live;
mod looking_up;
mod notices;
mod stopped;
mod unsent;

pub(super) use consent::Consent;
pub(super) use finishing::Finishing;
pub(super) use live::Live;
pub(super) use looking_up::LookingUp;
pub(super) use stopped::Stopped;
pub(super) use unsent::UnsentActions;
