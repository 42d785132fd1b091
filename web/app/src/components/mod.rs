//! What the pages are made of. Each shows one thing and takes signals.

mod bars;
mod camera_select;
mod confirm;
mod consent;
mod controls;
mod current_expression;
mod faces;
mod fault_card;
mod file_pick;
mod icon;
mod keys;
mod link;
mod live_view;
mod stage;
mod strip;
mod text;
mod time_by_expression;
mod timeline;
mod top_bar;
mod unsent;

pub(crate) use bars::Bars;
pub(crate) use camera_select::CameraSelect;
pub(crate) use confirm::Confirm;
pub(crate) use consent::ConsentSteps;
pub(crate) use current_expression::CurrentExpression;
pub(crate) use fault_card::FaultCard;
pub(crate) use file_pick::FilePick;
pub(crate) use icon::Brand;
pub(crate) use keys::{KeysDialog, help_key};
pub(crate) use link::Link;
pub(crate) use live_view::LiveView;
pub(crate) use stage::{Stage, StageState};
pub(crate) use text::text;
pub(crate) use time_by_expression::TimeByExpressionList;
pub(crate) use timeline::TimelinePlot;
pub(crate) use unsent::{DiscardUnsent, SaveUnsent};
