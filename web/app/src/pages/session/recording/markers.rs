//! Markers on their way to the relay and back.

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_shared::api::CreateMarker;
use mien_shared::{Code, SessionId, SourceName};

use super::notices;
use super::state::Recording;
use crate::fault::{is_transient, sentences};
use crate::model::notice::{Change, Notice};
use crate::model::timeline::TimelineMarker;
use crate::saved;

/// Pauses before each further try, milliseconds: five minutes in all.
const PAUSES_MS: [u32; 6] = [2_000, 5_000, 15_000, 40_000, 100_000, 140_000];
/// How long the stored markers may take after a reload.
const ANSWER_MS: u32 = 1_000;

/// Stores a marker, trying again while the relay is away and the person has not deleted it. Until it is stored or
/// refused this device saves it for the next visit.
pub(crate) async fn store(recording: Recording, marker: TimelineMarker) {
    let new =
        CreateMarker { at: marker.at_ms, label: marker.label.clone(), source: Some(SourceName::default()) };
    let (relay, session) = (recording.saved().relay(), recording.session());
    let mut unsent = saved::unsent_markers(session);
    if !unsent.contains(&new) {
        unsent.push(new.clone());
        saved::save_unsent_markers(session, &unsent);
    }
    let mut pauses = PAUSES_MS.into_iter();
    while recording.signals.has_marker(&marker) {
        let fault = match relay.create_marker(session, &new).await {
            Ok(stored) => {
                forget_unsent(session, &new);
                recording.stored_markers.update_value(|markers| markers.push(stored));
                if !recording.signals.has_marker(&marker) {
                    delete(recording, marker).await;
                }
                return;
            }
            Err(fault) => fault,
        };
        let Some(pause_ms) = pauses.next().filter(|_| is_transient(&fault)) else {
            if !is_transient(&fault) {
                forget_unsent(session, &new);
            }
            notices::show(recording, Notice::MarkerNotStored { marker, why: sentences(&fault) });
            return;
        };
        TimeoutFuture::new(pause_ms).await;
    }
    forget_unsent(session, &new);
}

fn forget_unsent(session: SessionId, marker: &CreateMarker) {
    let mut unsent = saved::unsent_markers(session);
    unsent.retain(|other| other != marker);
    saved::save_unsent_markers(session, &unsent);
}

/// Deletes a marker on the relay. One that is still on its way is deleted once it has arrived.
pub(crate) async fn delete(recording: Recording, marker: TimelineMarker) {
    let stored = recording.stored_markers.try_update_value(|markers| {
        let place =
            markers.iter().position(|other| other.at == marker.at_ms && other.label == marker.label)?;
        Some(markers.remove(place))
    });
    // Once it is deleted, what was wrong with it no longer matters.
    notices::change(recording, Change::Marker(&marker));
    let Some(stored) = stored.flatten() else { return };
    let (relay, session) = (recording.saved().relay(), recording.session());
    let mut pauses = PAUSES_MS.into_iter();
    loop {
        let fault = match relay.delete_marker(session, &stored).await {
            Ok(()) => return,
            Err(fault) => fault,
        };
        if fault.code() == Some(Code::NotFound) {
            return;
        }
        let Some(pause_ms) = pauses.next().filter(|_| is_transient(&fault)) else {
            recording.signals.add_marker(marker.clone());
            recording.stored_markers.update_value(|markers| markers.push(stored));
            notices::show(recording, Notice::MarkerNotDeleted { marker, why: sentences(&fault) });
            return;
        };
        TimeoutFuture::new(pause_ms).await;
    }
}

/// Puts the session's markers back on the timeline after a reload, and sends those that had not arrived. Without them
/// the recording continues.
pub(super) async fn load(recording: Recording) {
    let relay = recording.saved().relay();
    let call = Box::pin(relay.markers(recording.session()));
    let answer = select(call, TimeoutFuture::new(ANSWER_MS)).await;
    let Either::Left((Ok(list), _)) = answer else { return };
    list.markers.iter().for_each(|marker| recording.signals.add_marker(marker.into()));
    recording.stored_markers.set_value(list.markers);
    for new in saved::unsent_markers(recording.session()) {
        let marker = TimelineMarker { at_ms: new.at, label: new.label.clone() };
        // Perhaps only the relay's answer had not arrived.
        if recording.signals.has_marker(&marker) {
            forget_unsent(recording.session(), &new);
        } else {
            recording.signals.add_marker(marker.clone());
            recording.spawn(store(recording, marker));
        }
    }
}
