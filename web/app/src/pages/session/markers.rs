//! Markers on their way to the relay and back.

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_shared::api::CreateMarker;
use mien_shared::{Code, SessionId, SourceName};

use super::passes;
use super::recording::Recording;
use crate::fault::said;
use crate::kept;
use crate::model::notice::{Change, Notice};
use crate::model::timeline::Flag;

/// Pauses before each further try, milliseconds: five minutes in all.
const PAUSES_MS: [u32; 6] = [2_000, 5_000, 15_000, 40_000, 100_000, 140_000];

/// Stores a marker, trying again while the relay is away and the person has not taken it back. Until it is stored or
/// refused this device keeps it, for the next visit.
pub(super) async fn store(recording: Recording, flag: Flag) {
    let new = CreateMarker { at: flag.at_ms, label: flag.label.clone(), source: Some(SourceName::default()) };
    let (relay, session) = (recording.kept().relay(), recording.session());
    let mut unsent = kept::unsent_markers(session);
    if !unsent.contains(&new) {
        unsent.push(new.clone());
        kept::keep_unsent_markers(session, &unsent);
    }
    let mut pauses = PAUSES_MS.into_iter();
    while recording.reading.has_flag(&flag) {
        let fault = match relay.create_marker(session, &new).await {
            Ok(marker) => {
                answered(session, &new);
                recording.markers.update_value(|markers| markers.push(marker));
                if !recording.reading.has_flag(&flag) {
                    delete(recording, flag).await;
                }
                return;
            }
            Err(fault) => fault,
        };
        let Some(pause_ms) = pauses.next().filter(|_| passes(&fault)) else {
            if !passes(&fault) {
                answered(session, &new);
            }
            recording.tell(Notice::MarkerNotStored { flag, why: said(&fault) });
            return;
        };
        TimeoutFuture::new(pause_ms).await;
    }
    answered(session, &new);
}

/// There is nothing left to send of this marker.
fn answered(session: SessionId, marker: &CreateMarker) {
    let mut unsent = kept::unsent_markers(session);
    unsent.retain(|other| other != marker);
    kept::keep_unsent_markers(session, &unsent);
}

/// Takes a marker away from the relay. One that is still on its way is taken away when it has arrived.
pub(super) async fn delete(recording: Recording, flag: Flag) {
    let stored = recording.markers.try_update_value(|markers| {
        let place =
            markers.iter().position(|marker| marker.at == flag.at_ms && marker.label == flag.label)?;
        Some(markers.remove(place))
    });
    // Whoever takes it away needs no word any more of what was amiss with it.
    recording.changed(Change::Marker(&flag));
    let Some(marker) = stored.flatten() else { return };
    let (relay, session) = (recording.kept().relay(), recording.session());
    let mut pauses = PAUSES_MS.into_iter();
    loop {
        let fault = match relay.delete_marker(session, &marker).await {
            Ok(()) => return,
            Err(fault) => fault,
        };
        if fault.code() == Some(Code::NotFound) {
            return;
        }
        let Some(pause_ms) = pauses.next().filter(|_| passes(&fault)) else {
            recording.reading.flag(flag.clone());
            recording.markers.update_value(|markers| markers.push(marker));
            recording.tell(Notice::MarkerNotDeleted { flag, why: said(&fault) });
            return;
        };
        TimeoutFuture::new(pause_ms).await;
    }
}

/// Puts the session's former markers back on the timeline after a reload, and sends those that had not arrived.
/// Without them the recording goes on.
pub(super) async fn load(recording: Recording) {
    let read = recording.kept().relay();
    let call = Box::pin(read.markers(recording.session()));
    let answer = select(call, TimeoutFuture::new(1_000)).await;
    let Either::Left((Ok(list), _)) = answer else { return };
    let flags = list.markers.iter().map(|marker| Flag { at_ms: marker.at, label: marker.label.clone() });
    flags.for_each(|flag| recording.reading.flag(flag));
    recording.markers.set_value(list.markers);
    for new in kept::unsent_markers(recording.session()) {
        let flag = Flag { at_ms: new.at, label: new.label.clone() };
        // The answer may have been all that was missing.
        if recording.reading.has_flag(&flag) {
            answered(recording.session(), &new);
        } else {
            recording.reading.flag(flag.clone());
            recording.spawn(store(recording, flag));
        }
    }
}
