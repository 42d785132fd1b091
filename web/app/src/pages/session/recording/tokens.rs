//! New tokens for a recording that outlasts its own.

use futures_util::future::Shared;
use leptos::prelude::*;
use mien_engine::wall_now;

use super::state::Recording;
use crate::saved;

/// Replaces expired tokens. False if no new ones can be had.
pub(super) async fn renew(recording: Recording) -> bool {
    if !recording.renewal_limit.may_renew() {
        return false;
    }
    recording.renewal_limit.note();
    let Some(tokens) = saved::renew(recording.session()).await else { return false };
    recording.saved.update_value(|saved| saved.tokens = tokens);
    true
}

/// Fetches new tokens before the present ones expire. Without an answer the recorder asks again, and once they have
/// expired the relay ends the link.
pub(super) fn renew_ahead(recording: Recording) {
    if !recording.renewal_limit.begin_ahead() {
        return;
    }
    recording.spawn(async move {
        if let Some(tokens) = saved::renew(recording.session()).await {
            recording.recorder.with_value(|opening| {
                if let Some(recorder) = opening.as_ref().and_then(Shared::peek) {
                    recorder.renew(&tokens.ingest);
                }
            });
            recording.saved.update_value(|saved| {
                saved.tokens = tokens;
                saved.renewed_ms = wall_now().0;
            });
        }
        recording.renewal_limit.end_ahead();
    });
}
