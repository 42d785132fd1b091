//! The engine: models loaded, workers running, one source at a time.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;

use crate::browser::policy::PolicyWatch;
use crate::browser::worker::{LandmarkBuffers, ModelBuffers, WorkerKit};
use crate::browser::{fetch, page_url};
use crate::faults::{LoadFault, SourceFault};
use crate::landmarks::{LandmarkWish, fetched};
use crate::load::{Assets, LoadMeter, LoadProgress, ModelFiles, fetch_models, startup};
use crate::pool::{PoolEvent, WorkerPool, size_for};
use crate::run::{FrameTag, Player, Run, RunEvent, SourceChoice, SourceRequest, SourceSlot};

/// Workers that are not ready by then never will be.
const READY_MS: u32 = 60_000;

#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub assets: Assets,
    /// Maximum number of workers; `None` for as many as the machine benefits from.
    pub max_workers: Option<usize>,
    /// Holds the one active request for a source. It accepts requests before the engine has loaded.
    pub slot: SourceSlot,
}

impl EngineConfig {
    pub fn new(assets: Assets) -> Self {
        Self { assets, max_workers: None, slot: SourceSlot::default() }
    }
}

/// Ready to analyse. A clone shares the same workers; they end with the last one.
#[derive(Clone, Debug)]
pub struct Engine {
    shared: Rc<Shared>,
}

struct Shared {
    assets: Assets,
    kit: Rc<WorkerKit>,
    size: usize,
    player: Player,
    pool: RefCell<Option<Rc<WorkerPool<FrameTag>>>>,
    wish: LandmarkWish,
    /// Waits for the first worker.
    ready: RefCell<Option<oneshot::Sender<Result<(), LoadFault>>>>,
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
        let meter = LoadMeter::new(on_progress);
        let policies = Rc::new(PolicyWatch::over(config.assets.addresses().map(page_url).collect()));
        let code = async {
            let url = &config.assets.worker_wasm;
            let module = match fetch::module(url).await {
                Ok(module) => module,
                Err(fault) => return Err(startup::code_fault(&page_url(url), fault, &policies).await),
            };
            meter.code_loaded();
            Ok(module)
        };
        let models = fetch_models(&config.assets.models, &meter, &policies);
        let (module, ModelFiles { near, far, expression }) =
            futures_util::future::try_join(code, models).await?;
        let kit = WorkerKit {
            boot_url: page_url(&config.assets.worker_boot),
            // A worker would resolve a relative address against its own.
            glue_url: page_url(&config.assets.worker_js),
            module,
            models: ModelBuffers {
                near: fetch::array_buffer(&near),
                far: fetch::array_buffer(&far),
                expression: fetch::array_buffer(&expression),
            },
            landmarks: RefCell::default(),
            policies,
        };
        let size = size_for(fetch::cores()).min(config.max_workers.unwrap_or(usize::MAX).max(1));
        Self::over(config, kit, size).await
    }

    /// With workers of this kit. Resolves when the first one is ready.
    pub(crate) async fn over(
        config: EngineConfig,
        kit: impl Into<Rc<WorkerKit>>,
        size: usize,
    ) -> Result<Self, LoadFault> {
        let shared = Rc::new(Shared {
            assets: config.assets,
            kit: kit.into(),
            size,
            player: Player::new(config.slot),
            pool: RefCell::new(None),
            wish: LandmarkWish::default(),
            ready: RefCell::new(None),
        });
        shared.start_pool().await?;
        Ok(Self { shared })
    }

    pub fn assets(&self) -> &Assets {
        &self.shared.assets
    }

    /// From now on looks at landmarks, too: head pose, blinks, gaze and coefficients are in the samples, and smiles are
    /// told better. Fetches two more models first, which may fail and be tried again; the analysis goes on meanwhile.
    /// False if [`Engine::remove_landmarks`] was called before they were there, or this again.
    pub async fn add_landmarks(
        &self,
        on_progress: impl Fn(LoadProgress) + 'static,
    ) -> Result<bool, LoadFault> {
        let Shared { assets, kit, wish, .. } = &*self.shared;
        if kit.landmarks.borrow().is_some() {
            return Ok(true);
        }
        let models = fetched(assets.landmarks.as_ref(), on_progress, &kit.policies);
        match wish.make(models).await {
            Ok(models) => self.use_landmarks(models?).await,
            Err(_) => Ok(false),
        }
    }

    /// The same with models that have been checked.
    pub(crate) async fn use_landmarks(&self, models: LandmarkBuffers) -> Result<bool, LoadFault> {
        let Shared { kit, wish, pool, .. } = &*self.shared;
        kit.landmarks.replace(Some(models));
        // A pool that has given up is started again with the next source, and takes them then.
        let running = pool.borrow().clone().filter(|pool| !pool.is_over());
        let Some(pool) = running else { return Ok(true) };
        match wish.make(wish.given(|| pool.share_landmarks())).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(fault)) => {
                self.remove_landmarks();
                Err(fault)
            }
            Err(_) => Ok(false),
        }
    }

    /// As a worker gets them that was started again.
    #[cfg(all(test, target_arch = "wasm32"))]
    pub(crate) fn share_landmarks_again(&self) {
        if let Some(pool) = &*self.shared.pool.borrow() {
            pool.share_landmarks();
        }
    }

    /// From now on nobody looks at landmarks; the workers free the models' memory for other use.
    pub fn remove_landmarks(&self) {
        let Shared { kit, wish, pool, .. } = &*self.shared;
        wish.withdraw();
        if kit.landmarks.take().is_some()
            && let Some(pool) = &*pool.borrow()
        {
            pool.share_landmarks();
        }
    }

    /// Faces of later runs get identities from `next_face` on, or higher: a session that goes on after a reload must not
    /// give one face's identity to another.
    pub fn continue_faces(&self, next_face: u32) {
        self.shared.player.continue_faces(next_face);
    }

    /// Opens the source and analyses it until the run is dropped. One source at a time, the latest wins: the request is
    /// made by this call and not when the future is first polled. A start that another one supersedes ends with
    /// [`SourceFault::Replaced`]; it keeps no camera, not even one that is allowed later.
    pub fn start<F: Fn(RunEvent) + 'static>(
        &self,
        source: SourceChoice,
        on: F,
    ) -> impl Future<Output = Result<Run, SourceFault>> + use<F> {
        let request = self.shared.player.request();
        self.open(request, source, on)
    }

    /// Like [`Engine::start`], for a request that was made earlier in the slot that this engine was loaded with.
    pub fn open<F: Fn(RunEvent) + 'static>(
        &self,
        request: SourceRequest,
        source: SourceChoice,
        on: F,
    ) -> impl Future<Output = Result<Run, SourceFault>> + use<F> {
        // Boxed here, so that all the rest is compiled once and not for every caller.
        self.shared.clone().open(request, source, Box::new(on))
    }
}

impl Shared {
    async fn open(
        self: Rc<Self>,
        mut request: SourceRequest,
        source: SourceChoice,
        on: Box<dyn Fn(RunEvent)>,
    ) -> Result<Run, SourceFault> {
        // The workers first: a source that plays once it is open must not play on while they start.
        let pool = request.wait(self.running_pool()).await?;
        let pool = pool.map_err(|fault| SourceFault::Analysis { detail: fault.to_string() })?;
        self.player.play(request, &source, pool, on).await
    }

    /// The pool; one that has given up is started again.
    async fn running_pool(self: &Rc<Self>) -> Result<Rc<WorkerPool<FrameTag>>, LoadFault> {
        let running = self.pool.borrow().clone().filter(|pool| !pool.is_over());
        match running {
            Some(pool) => Ok(pool),
            None => self.start_pool().await,
        }
    }

    /// Starts the workers and waits for the first.
    async fn start_pool(self: &Rc<Self>) -> Result<Rc<WorkerPool<FrameTag>>, LoadFault> {
        let (tell, told) = oneshot::channel();
        *self.ready.borrow_mut() = Some(tell);
        let weak = Rc::downgrade(self);
        let pool = Rc::new(WorkerPool::start(self.kit.clone(), self.size, move |event| {
            if let Some(shared) = weak.upgrade() {
                shared.on_pool(event);
            }
        }));
        *self.pool.borrow_mut() = Some(pool.clone());
        let failed = |detail: &str| LoadFault::WorkerFailed { detail: detail.to_owned() };
        match select(told, TimeoutFuture::new(READY_MS)).await {
            Either::Left((Ok(Ok(())), _)) => Ok(pool),
            Either::Left((Ok(Err(fault)), _)) => Err(fault),
            Either::Left((Err(_), _)) => Err(failed("it was started twice")),
            Either::Right(_) => Err(failed("it did not answer in time")),
        }
    }

    fn on_pool(&self, event: PoolEvent<FrameTag>) {
        if let PoolEvent::Landmarks(answer) = &event
            && self.wish.answered(answer)
        {
            return;
        }
        let outcome = match &event {
            PoolEvent::Ready => Some(Ok(())),
            PoolEvent::GaveUp { fault } => Some(Err(fault.clone())),
            _ => None,
        };
        if let Some(outcome) = outcome
            && let Some(ready) = self.ready.borrow_mut().take()
        {
            // The receiver may have timed out.
            let _ = ready.send(outcome);
        }
        self.player.on_pool(event);
    }
}
