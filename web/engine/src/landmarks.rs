//! Landmarks, which are off until somebody asks for them: their models are fetched then, checked, and given to the
//! workers. The expressions go on meanwhile.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;

use crate::browser::fetch;
use crate::browser::policy::PolicyWatch;
use crate::browser::worker::LandmarkBuffers;
use crate::faults::LoadFault;
use crate::load::{LandmarkFiles, LandmarkUrls, LoadMeter, LoadProgress, fetch_landmarks};

/// A worker that has not answered by then never will.
const TAKEN_MS: u32 = 60_000;

/// The person no longer wants them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Withdrawn;

/// What is wanted now. A newer wish ends an older one.
#[derive(Debug, Default)]
pub(crate) struct LandmarkWish {
    /// Dropped when the wish is.
    current: RefCell<Option<oneshot::Sender<()>>>,
    /// Waits for the first worker that has them.
    taken: RefCell<Option<oneshot::Sender<Result<(), String>>>>,
}

impl LandmarkWish {
    /// Waits for `work` until the wish is withdrawn, which drops it and so gives up its download.
    pub(crate) async fn make<T>(&self, work: impl Future<Output = T>) -> Result<T, Withdrawn> {
        let (keep, withdrawn) = oneshot::channel();
        self.current.replace(Some(keep));
        match select(pin!(work), withdrawn).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(_) => Err(Withdrawn),
        }
    }

    pub(crate) fn withdraw(&self) {
        self.current.take();
    }

    /// Waits until a worker has the models that `give` sends.
    pub(crate) async fn given(&self, give: impl FnOnce()) -> Result<(), LoadFault> {
        let (tell, told) = oneshot::channel();
        self.taken.replace(Some(tell));
        give();
        let failed = |detail: String| Err(LoadFault::WorkerFailed { detail });
        match select(told, TimeoutFuture::new(TAKEN_MS)).await {
            Either::Left((Ok(Ok(())), _)) => Ok(()),
            Either::Left((Ok(Err(detail)), _)) => failed(detail),
            Either::Left((Err(_), _)) => failed("the landmarks were given up".to_owned()),
            Either::Right(_) => failed("no worker took the models for landmarks in time".to_owned()),
        }
    }

    /// Passes on a worker's answer. False if nobody is waiting for one.
    pub(crate) fn answered(&self, answer: &Result<(), String>) -> bool {
        self.taken.take().is_some_and(|tell| tell.send(answer.clone()).is_ok())
    }
}

/// Both files, checked against the manifest.
pub(crate) async fn fetched(
    urls: Option<&LandmarkUrls>,
    on_progress: impl Fn(LoadProgress) + 'static,
    policies: &PolicyWatch,
) -> Result<LandmarkBuffers, LoadFault> {
    let Some(urls) = urls else {
        return Err(LoadFault::NotBuilt { what: "it has no models for landmarks".to_owned() });
    };
    let meter = LoadMeter::of_landmarks(on_progress);
    let LandmarkFiles { landmarks, blendshapes } = fetch_landmarks(urls, &meter, policies).await?;
    Ok(LandmarkBuffers {
        landmarks: fetch::array_buffer(&landmarks),
        blendshapes: fetch::array_buffer(&blendshapes),
    })
}
