//! A connected source, as the batcher knows it.

use std::sync::Arc;

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use tracing::Span;

use super::answers::Mailbox;
use crate::live::LiveSession;
use crate::store::{Item, SourceKey};

/// Where a source's batches come from, and where the answers go.
#[derive(Debug)]
pub struct ConnectedSource {
    pub(super) live: Arc<LiveSession>,
    pub(super) name: SourceName,
    pub(super) key: SourceKey,
    /// Its session's.
    pub(super) lane: usize,
    pub(super) answers: Mailbox,
}

impl ConnectedSource {
    pub fn session(&self) -> SessionId {
        self.live.id()
    }

    pub fn answers(&self) -> &Mailbox {
        &self.answers
    }
}

/// What one message of one connection brought.
#[derive(Debug)]
pub struct Submission {
    pub source: Arc<ConnectedSource>,
    pub items: Vec<Item>,
    /// From the message to its commit.
    pub span: Span,
}
