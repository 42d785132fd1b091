//! Models loaded, workers running.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::{Rc, Weak};

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use mien_models::Tracker;
use mien_shared::Skipped;

use crate::browser::policy::PolicyWatch;
use crate::browser::worker::WorkerKit;
use crate::browser::{fetch, page_url};
use crate::clock::{Captured, ClockSteps};
use crate::faults::{LoadFault, SourceFault};
use crate::load::Assets;
use crate::load::startup;
use crate::load::{self, Meter};
use crate::pool::size_for;
use crate::pool::{Crew, CrewEvent};
use crate::run::SourceChoice;
use crate::run::{Input, Run, RunEvent, RunHandle};
use crate::run::{Rank, SourceRequest, SourceSlot};

/// Workers that are not ready by then never will be.
const READY_MS: u32 = 60_000;

#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub assets: Assets,
    /// Workers at most; `None` for what the machine gains from.
    pub max_workers: Option<usize>,
    /// Holds the one active request for a source. It takes requests before the engine has loaded.
    pub slot: SourceSlot,
}

impl EngineConfig {
    pub fn new(assets: Assets) -> Self {
        Self { assets, max_workers: None, slot: SourceSlot::default() }
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
    shared: Rc<Shared>,
}

pub(crate) struct Shared {
    config: EngineConfig,
    kit: Rc<WorkerKit>,
    size: usize,
    crew: RefCell<Option<Rc<Crew>>>,
    /// The run that has the workers.
    current: RefCell<Weak<RunHandle>>,
    /// Identities go on from run to run, so that none of a session's faces lends its own to another.
    next_face: Cell<u32>,
    /// Over all runs: a clock that is set between two of them is set all the same.
    clock_steps: RefCell<ClockSteps>,
    /// Who waits for the first worker.
    waiting: RefCell<Option<oneshot::Sender<Result<(), LoadFault>>>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({} workers)", self.size)
    }
}

impl Engine {
    /// Checks the browser, fetches and verifies the models, compiles the worker once and starts the pool.
    /// Resolves when the first worker is ready.
    pub async fn load(
        config: EngineConfig,
        on_progress: impl Fn(LoadProgress) + 'static,
    ) -> Result<Self, LoadFault> {
        if !fetch::has_simd() {
            return Err(LoadFault::SimdMissing);
        }
        let meter = Meter::new(on_progress);
        let policies = Rc::new(PolicyWatch::over(config.assets.addresses().map(page_url).into()));
        let code = async {
            let url = &config.assets.worker_wasm;
            let module = match fetch::module(url).await {
                Ok(module) => module,
                Err(fault) => return Err(startup::code_fault(&page_url(url), fault, &policies).await),
            };
            meter.code_is_here();
            Ok(module)
        };
        let models = load::fetch(&config.assets.models, &meter, &policies);
        let (module, models) = futures_util::future::try_join(code, models).await?;
        let kit = WorkerKit {
            boot_url: page_url(&config.assets.worker_boot),
            // The worker would resolve a relative address against its own.
            glue_url: page_url(&config.assets.worker_js),
            module,
            models: models.map(|model| fetch::array_buffer(&model)),
            policies,
        };
        let size = size_for(fetch::cores()).min(config.max_workers.unwrap_or(usize::MAX).max(1));
        Self::over(config, kit, size).await
    }

    /// With workers of this kit. Resolves when the first is ready.
    pub(crate) async fn over(
        config: EngineConfig,
        kit: impl Into<Rc<WorkerKit>>,
        size: usize,
    ) -> Result<Self, LoadFault> {
        let engine = Self {
            shared: Rc::new(Shared {
                config,
                kit: kit.into(),
                size,
                crew: RefCell::new(None),
                current: RefCell::new(Weak::new()),
                next_face: Cell::new(1),
                clock_steps: RefCell::default(),
                waiting: RefCell::new(None),
            }),
        };
        engine.shared.start_crew().await?;
        Ok(engine)
    }

    pub fn assets(&self) -> &Assets {
        &self.shared.config.assets
    }

    /// Faces of later runs get identities from `next_face` on, or higher: a session that goes on after a reload
    /// must not give one face's identity to another.
    pub fn continue_faces(&self, next_face: u32) {
        self.shared.next_face.set(self.shared.next_face.get().max(next_face));
    }

    /// Opens the source and analyses it until the run is dropped. It is asked for when this is called, not when what
    /// this returns is polled: one source at a time, and the last that was asked for. A start that another one
    /// supersedes ends with [`SourceFault::Replaced`]; it keeps no camera, not even one that is allowed later.
    pub fn start<F: Fn(RunEvent) + 'static>(
        &self,
        source: SourceChoice,
        on: F,
    ) -> impl Future<Output = Result<Run, SourceFault>> + use<F> {
        let request = self.shared.config.slot.request();
        self.open(request, source, on)
    }

    /// As [`Engine::start`], for a request that was made before, of the slot that this engine was loaded with.
    pub fn open<F: Fn(RunEvent) + 'static>(
        &self,
        mut request: SourceRequest,
        source: SourceChoice,
        on: F,
    ) -> impl Future<Output = Result<Run, SourceFault>> + use<F> {
        let shared = self.shared.clone();
        async move {
            // The workers first: what plays once it is open must not play on while they start.
            if shared.crew.borrow().as_ref().is_none_or(|crew| crew.is_over()) {
                let started = request.wait(shared.start_crew()).await?;
                started.map_err(|fault| SourceFault::Analysis { detail: fault.to_string() })?;
            }
            let input = request.wait(Input::open(&source)).await??;
            let tracker = Tracker::resume(shared.next_face.get());
            let rank = request.rank();
            let handle = RunHandle::new(rank, shared.clone(), input, tracker, on);
            let weak = Rc::downgrade(&handle);
            request.run(move |reason| {
                if let Some(handle) = weak.upgrade() {
                    handle.end(reason);
                }
            })?;
            *shared.current.borrow_mut() = Rc::downgrade(&handle);
            handle.begin();
            Ok(Run { handle })
        }
    }
}

impl Shared {
    /// Starts the workers, also again after they have given up, and waits for the first.
    async fn start_crew(self: &Rc<Self>) -> Result<(), LoadFault> {
        let (tell, told) = oneshot::channel();
        *self.waiting.borrow_mut() = Some(tell);
        let weak = Rc::downgrade(self);
        let crew = Crew::start(self.kit.clone(), self.size, move |event| {
            if let Some(shared) = weak.upgrade() {
                shared.heard(event);
            }
        });
        *self.crew.borrow_mut() = Some(Rc::new(crew));
        let failed = |detail: &str| LoadFault::WorkerFailed { detail: detail.to_owned() };
        match select(told, TimeoutFuture::new(READY_MS)).await {
            Either::Left((Ok(Ok(())), _)) => Ok(()),
            Either::Left((Ok(Err(fault)), _)) => Err(fault),
            Either::Left((Err(_), _)) => Err(failed("it was started twice")),
            Either::Right(_) => Err(failed("it did not answer in time")),
        }
    }

    fn heard(&self, event: CrewEvent) {
        let outcome = match &event {
            CrewEvent::Ready => Some(Ok(())),
            CrewEvent::GaveUp { fault } => Some(Err(fault.clone())),
            _ => None,
        };
        if let Some(outcome) = outcome
            && let Some(waiting) = self.waiting.borrow_mut().take()
        {
            // Whoever waited may have lost patience.
            let _ = waiting.send(outcome);
        }
        let current = self.current.borrow().upgrade();
        if let Some(run) = current {
            run.heard(event);
        }
    }

    pub(crate) fn crew(&self) -> Option<Rc<Crew>> {
        self.crew.borrow().clone()
    }

    /// How far the wall clock was set since the last frame that was handed out.
    pub(crate) fn clock_step(&self, captured: Captured) -> Option<Skipped> {
        self.clock_steps.borrow_mut().next(captured)
    }

    /// A run has ended: the slot is free, unless another has it by now.
    pub(crate) fn ended(&self, rank: Rank) {
        self.config.slot.ended(rank);
    }

    pub(crate) fn keep_next_face(&self, next: u32) {
        self.next_face.set(next);
    }
}
