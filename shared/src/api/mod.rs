//! The shapes of the HTTP interface.

mod gaps;
mod markers;
mod samples;
mod series;
mod session;
mod source;
mod summary;
mod token;

pub use gaps::{GapList, SourceGap};
pub use markers::{CreateMarker, Marker, MarkerList};
pub use samples::{ExportFormat, SamplesPage, SessionExport, StoredSample};
pub use series::{Series, SeriesPoint};
pub use session::{
    CreateSession, PatchSession, Session, SessionCreated, SessionId, SessionList, SessionStatus,
    SessionTokens,
};
pub use source::{SourceName, SourceNameFault};
pub use summary::{NeutralUse, SourceSummary, Summary, TimeByExpression};
pub use token::{RevokeRequest, Role, TokenGrant, TokenRequest};

#[cfg(feature = "schema")]
pub(crate) use source::SourceNames;
