//! Erasing a session: on the relay, then on this device.

use leptos::prelude::*;
use mien_engine::api::ApiFault;

use super::link;
use super::phase::Phase;
use super::state::Recording;
use crate::fault::Fault;
use crate::saved;

/// Once the relay has erased it, the page says so.
pub(crate) async fn erase(recording: Recording) -> Result<(), ApiFault> {
    recording.saved().relay().erase_session(recording.session()).await?;
    link::close(recording);
    mien_engine::discard(recording.session()).await;
    saved::forget_erased(recording.session());
    recording.phase.set(Phase::Fault(Fault::erased()));
    Ok(())
}
