//! What the pages are made of. Each shows one thing and takes signals.

mod bars;
mod camera;
mod consent;
mod controls;
mod faces;
mod fault;
mod icon;
mod keys;
mod link;
mod now;
mod stage;
mod strip;
mod table;
mod text;
mod time_by;
mod timeline;
mod top_bar;

pub(crate) use bars::{Bars, Quality};
pub(crate) use camera::CameraPick;
pub(crate) use consent::ConsentSteps;
pub(crate) use controls::Controls;
pub(crate) use faces::Faces;
pub(crate) use fault::{FaultCard, FilePick};
pub(crate) use icon::Brand;
pub(crate) use keys::{Key, KeysDialog, global_keys, help_key};
pub(crate) use link::Link;
pub(crate) use now::Now;
pub(crate) use stage::{Stage, StageState};
pub(crate) use strip::{MarkerStrip, ShareStrip};
pub(crate) use text::text;
pub(crate) use time_by::TimeBy;
pub(crate) use timeline::TimelinePlot;
pub(crate) use top_bar::{LinkWords, TopBar, obstacle};
