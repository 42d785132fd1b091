//! Work that ends with its page.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;

/// The page that is open; a copy is a handle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope(StoredValue<Option<Owner>>);

impl Scope {
    pub(crate) fn here() -> Self {
        Self(StoredValue::new(Owner::current()))
    }

    /// Runs until it is done or the page is left, also from an event handler.
    pub(crate) fn spawn(self, work: impl Future<Output = ()> + 'static) {
        self.within(|| spawn_local_scoped_with_cancellation(work));
    }

    /// Signals made within live as long as the page. `None` once it is gone.
    pub(crate) fn within<T>(self, make: impl FnOnce() -> T) -> Option<T> {
        let owner = self.0.try_get_value().flatten()?;
        Some(owner.with(make))
    }
}
