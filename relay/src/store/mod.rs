//! The store: sessions, sources, samples and markers, durable and stored once.
//!
//! Owns every SQL statement of the relay. A sample's key is (session, source, seq); what a source has been
//! answered for is decided in `decide`, inside the transaction that commits it. Callers see Mien's own
//! types and [`StoreError`], never a row.
//!
//! [`Store`] is one of two backends. What both databases are asked with the same SQL is in `queries`; what each does in
//! its own way is in `sqlite` and `postgres`. Nothing here depends on the rest of the relay except the clock, and on
//! its settings except what a database URL names and what a user may keep.

mod backend;
pub mod codec;
pub mod deadline;
mod decide;
mod dispatch;
mod embedded;
mod error;
mod migrate;
mod model;
mod open;
mod postgres;
mod queries;
mod revoked;
mod sqlite;
mod value;

pub use dispatch::{Answer, Store};
pub use error::{Result, StoreError};
pub use model::{
    Batch, Fate, Found, GapQuery, Item, Outcome, Page, Reach, SampleCursor, SampleQuery, SessionCursor,
    SourceKey, SourceState, Stretch, Take,
};
pub use revoked::{Revocation, Revoked};
