//! The same for suites whose tests are plain threads.

use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

/// Drives connections and child processes between the calls, too.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads for the test kit")
});

/// Waits for `work` on this thread.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}
