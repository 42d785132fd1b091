//! The store over SQLite: one writer, many readers.

use mien_shared::api::{Marker, PatchSession, Session, SourceName, StoredSample};
use mien_shared::{Sample, SessionId};
use uuid::Uuid;

use super::{Batch, Outcome, Page, Result, SampleCursor, SampleQuery, SessionCursor, SourceKey, SourceState};

#[derive(Clone, Debug)]
pub struct SqliteStore {}

#[allow(unused_variables)]
impl SqliteStore {
    pub async fn open(url: &str, max_connections: u32) -> Result<Self> { unimplemented!() }
    pub async fn ready(&self) -> Result<()> { unimplemented!() }
    pub async fn create_session(&self, user: &str, title: &str, purpose: &str) -> Result<Session> { unimplemented!() }
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>> { unimplemented!() }
    pub async fn list_sessions(&self, user: &str, after: Option<SessionCursor>, limit: u32) -> Result<Page<Session, SessionCursor>> { unimplemented!() }
    pub async fn update_session(&self, id: SessionId, patch: &PatchSession) -> Result<Option<Session>> { unimplemented!() }
    pub async fn delete_session(&self, id: SessionId) -> Result<bool> { unimplemented!() }
    pub async fn sweep(&self) -> Result<()> { unimplemented!() }
    pub async fn expired_sessions(&self, before: jiff::Timestamp, limit: u32) -> Result<Vec<SessionId>> { unimplemented!() }
    pub async fn samples(&self, id: SessionId, query: &SampleQuery) -> Result<Page<StoredSample, SampleCursor>> { unimplemented!() }
    pub async fn samples_after(&self, id: SessionId, source: &SourceName, after: u64, through: u64, limit: u32) -> Result<Vec<Sample>> { unimplemented!() }
    pub async fn source_states(&self, id: SessionId) -> Result<Vec<SourceState>> { unimplemented!() }
    pub async fn throughs(&self, id: SessionId) -> Result<Vec<(SourceName, u64)>> { unimplemented!() }
    pub async fn open_source(&self, id: SessionId, source: &SourceName) -> Result<(SourceKey, u64)> { unimplemented!() }
    pub async fn commit(&self, batches: &[Batch]) -> Result<Vec<Outcome>> { unimplemented!() }
    pub async fn create_marker(&self, id: SessionId, at: u64, label: &str, source: Option<&SourceName>) -> Result<Marker> { unimplemented!() }
    pub async fn markers(&self, id: SessionId) -> Result<Vec<Marker>> { unimplemented!() }
    pub async fn delete_marker(&self, id: SessionId, marker: Uuid) -> Result<bool> { unimplemented!() }
    pub fn pool_usage(&self) -> (u32, u32) { unimplemented!() }
    pub async fn close(&self) { unimplemented!() }
}
