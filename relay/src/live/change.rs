//! What became of a session, as everyone concerned is told.

use mien_shared::api::Session;
use serde::{Deserialize, Serialize};

use crate::auth::Revoked;

/// What became of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Renamed or completed: what it is now.
    Updated(Session),
    Erased,
    /// All of its tokens that are revoked by now.
    Revoked(Revoked),
}
