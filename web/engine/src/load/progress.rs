//! How far loading is.

use std::cell::Cell;
use std::rc::Rc;

use crate::faults::ModelName;

/// `total_bytes` is known from the start; in the last report both are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    pub loaded_bytes: u64,
    pub total_bytes: u64,
}

/// Compressed size of the worker's code, counted all at once when it is compiled. The true size depends on the server's
/// compression; for a progress bar this is close enough.
const CODE_BYTES: u64 = 2_600_000;

/// Counts the bytes that have arrived.
pub(crate) struct LoadMeter {
    loaded: Cell<u64>,
    total: u64,
    on: Box<dyn Fn(LoadProgress)>,
}

impl LoadMeter {
    /// For the worker's code and the models that every analysis needs.
    pub(crate) fn new(on: impl Fn(LoadProgress) + 'static) -> Rc<Self> {
        Self::over(bytes(&ModelName::REQUIRED) + CODE_BYTES, Box::new(on))
    }

    pub(crate) fn of_landmarks(on: impl Fn(LoadProgress) + 'static) -> Rc<Self> {
        Self::over(bytes(&ModelName::FOR_LANDMARKS), Box::new(on))
    }

    fn over(total: u64, on: Box<dyn Fn(LoadProgress)>) -> Rc<Self> {
        let meter = Self { loaded: Cell::new(0), total, on };
        meter.add(0);
        Rc::new(meter)
    }

    pub(crate) fn code_loaded(&self) {
        self.add(CODE_BYTES);
    }

    pub(super) fn add(&self, more: u64) {
        // A server that sends too much fails the hash; the bar must not overflow.
        self.loaded.set((self.loaded.get() + more).min(self.total));
        (self.on)(LoadProgress { loaded_bytes: self.loaded.get(), total_bytes: self.total });
    }
}

fn bytes(models: &[ModelName]) -> u64 {
    models.iter().map(|model| model.bytes()).sum()
}
