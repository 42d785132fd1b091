//! What can be measured, by name.

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// 64 connections, 16 messages of one sample on the way each: processor time a sample
    Window,
    /// 2,000 connections, 5 samples a second each: processor time a sample
    Paced,
    /// 100 connections, 10 samples a second each: the time to an ack
    Light,
    /// 16 connections, messages of 64 samples: samples a second, against raw inserts
    Capacity,
    /// 2,000 connections that do nothing: memory
    Idle,
    /// One source, 500 watchers: processor time a delivery
    Watch,
}

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Paced => "paced",
            Self::Light => "light",
            Self::Capacity => "capacity",
            Self::Idle => "idle",
            Self::Watch => "watch",
        }
    }
}
