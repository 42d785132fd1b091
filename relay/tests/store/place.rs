//! Where a store under test keeps its data.

use std::path::{Path, PathBuf};

use mien_relay::observe::metrics::Metrics;
use mien_relay::store::{Store, StoreError};
use mien_servers::Postgres;
use tempfile::TempDir;

/// An empty database of one's own.
pub(crate) struct Place {
    pub(crate) url: String,
    folder: Option<TempDir>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { url: format!("sqlite:{}", folder.path().join("mien.db").display()), folder: Some(folder) }
    }

    /// `None` where there is no Postgres, which skips the test.
    #[track_caller]
    pub(crate) fn postgres() -> Option<Self> {
        Some(Self { url: Postgres::shared()?.database(), folder: None })
    }

    /// Of SQLite's database.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) async fn open(&self) -> Store {
        open(&self.url).await.unwrap()
    }
}

pub(crate) async fn open(url: &str) -> Result<Store, StoreError> {
    Store::open(url, 5, Metrics::new().pool_wait_seconds).await
}

/// Makes tests of functions that take a [`Place`]: one over each backend.
macro_rules! over_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(&crate::place::Place::sqlite()).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(place) = crate::place::Place::postgres() {
                    super::$test(&place).await;
                }
            })+
        }
    };
}

pub(crate) use over_both;
