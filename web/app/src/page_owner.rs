//! Work and signals that end with the page that is open.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;

/// The reactive owner of the page that is open; a copy is a handle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageOwner(StoredValue<Option<Owner>>);

impl PageOwner {
    pub(crate) fn current() -> Self {
        Self(StoredValue::new(Owner::current()))
    }

    /// Runs until it is done or the page is left, even if spawned from an event handler.
    pub(crate) fn spawn(self, work: impl Future<Output = ()> + 'static) {
        self.with(|| spawn_local_scoped_with_cancellation(work));
    }

    /// Signals that `make` creates live as long as the page. `None` once it is gone.
    pub(crate) fn with<T>(self, make: impl FnOnce() -> T) -> Option<T> {
        let owner = self.0.try_get_value().flatten()?;
        Some(owner.with(make))
    }
}
