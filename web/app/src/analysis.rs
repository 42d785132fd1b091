//! The engine, loaded once per visit and shared by every page that analyses.

use std::future::Future;
use std::pin::Pin;

use futures_util::FutureExt;
use futures_util::future::Shared;
use leptos::prelude::*;
use mien_engine::{
    Assets, Engine, EngineConfig, LoadFault, LoadProgress, Replaced, SourceFault, SourceRequest, SourceSlot,
};

use crate::fault::Fault;
use crate::model::landmarks::LandmarkSwitch;
use crate::saved;

type Loading = Shared<Pin<Box<dyn Future<Output = Result<Engine, LoadFault>>>>>;

/// Put into context at the top; a copy is a handle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Analysis {
    loading: StoredValue<Option<Loading>, LocalStorage>,
    progress: RwSignal<Option<LoadProgress>>,
    /// Holds the one active request for a source. It takes requests before the engine has loaded.
    slot: StoredValue<SourceSlot, LocalStorage>,
    landmarks: RwSignal<LandmarkSwitch>,
}

/// Why nothing runs after a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotStarted {
    /// Another source was requested, and is shown instead.
    Replaced,
    Fault(Fault),
}

impl From<Replaced> for NotStarted {
    fn from(Replaced: Replaced) -> Self {
        Self::Replaced
    }
}

impl From<SourceFault> for NotStarted {
    fn from(fault: SourceFault) -> Self {
        match fault {
            SourceFault::Replaced => Self::Replaced,
            fault => Self::Fault(fault.into()),
        }
    }
}

impl From<Fault> for NotStarted {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Analysis {
    pub(crate) fn new() -> Self {
        Self {
            loading: StoredValue::new_local(None),
            progress: RwSignal::new(None),
            slot: StoredValue::new_local(SourceSlot::default()),
            landmarks: RwSignal::new(if saved::wants_landmarks() {
                LandmarkSwitch::Loading(None)
            } else {
                LandmarkSwitch::Off
            }),
        }
    }

    /// Loaded and total bytes while the engine is being fetched.
    pub(crate) fn progress(&self) -> Signal<Option<LoadProgress>> {
        self.progress.into()
    }

    /// From now on this source is the active one, and the only one, however long it takes to open. A run is told that
    /// it was replaced before this returns.
    pub(crate) fn request(self) -> SourceRequest {
        self.slot.with_value(SourceSlot::request)
    }

    /// Ends the active source: one that is opening is given up, one that is running is stopped.
    pub(crate) fn withdraw(self) {
        self.slot.with_value(SourceSlot::clear);
    }

    pub(crate) fn landmarks(self) -> ReadSignal<LandmarkSwitch> {
        self.landmarks.read_only()
    }

    /// The person's choice, which this device remembers. Switched on, the models are fetched now, or as soon as the
    /// analysis is loaded; the analysis goes on meanwhile.
    pub(crate) fn switch_landmarks(self, on: bool) {
        saved::save_wants_landmarks(on);
        self.landmarks.set(if on { LandmarkSwitch::Loading(None) } else { LandmarkSwitch::Off });
        let loaded = self.loading.get_value().and_then(|loading| loading.peek().cloned());
        let Some(Ok(engine)) = loaded else { return };
        if on {
            self.load_landmarks(engine);
        } else {
            engine.remove_landmarks();
        }
    }

    /// A worker could not take the models.
    pub(crate) fn landmarks_lost(self, why: String) {
        self.landmarks.try_set(LandmarkSwitch::Failed(why));
    }

    fn load_landmarks(self, engine: Engine) {
        // Not of any page: it goes on when another is opened.
        leptos::task::spawn_local(async move {
            let landmarks = self.landmarks;
            let tell = move |now| {
                landmarks.update(|state| {
                    if let LandmarkSwitch::Loading(progress) = state {
                        *progress = Some(now);
                    }
                });
            };
            match engine.add_landmarks(tell).await {
                Ok(true) => landmarks.set(LandmarkSwitch::On),
                Ok(false) => {}
                Err(fault) => landmarks.set(LandmarkSwitch::Failed(fault.to_string())),
            }
        });
    }

    /// Address of the built-in clip.
    pub(crate) fn demo_clip() -> Option<String> {
        Assets::from_page().ok().and_then(|assets| assets.demo)
    }

    /// The engine; starts loading it if that has not begun. After a failure the next call tries again.
    pub(crate) async fn engine(self) -> Result<Engine, Fault> {
        let loading = self.loading.get_value().unwrap_or_else(|| {
            let (progress, slot) = (self.progress, self.slot.get_value());
            let load: Pin<Box<dyn Future<Output = _>>> = Box::pin(async move {
                let config = EngineConfig { slot, ..EngineConfig::new(Assets::from_page()?) };
                let engine = Engine::load(config, move |now| progress.set(Some(now))).await?;
                if self.landmarks.with_untracked(LandmarkSwitch::is_wanted) {
                    self.load_landmarks(engine.clone());
                }
                Ok(engine)
            });
            let loading = load.shared();
            self.loading.set_value(Some(loading.clone()));
            loading
        });
        let result = loading.await;
        self.progress.set(None);
        match result {
            Ok(engine) => Ok(engine),
            Err(fault) => {
                self.loading.set_value(None);
                Err(Fault::from(fault).explained().await)
            }
        }
    }
}
