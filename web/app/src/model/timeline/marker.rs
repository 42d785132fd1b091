//! Markers on a timeline.

use std::collections::VecDeque;

use mien_shared::api::Marker;

/// Markers on one timeline. Beyond this the oldest goes; the relay has them all.
const MAX_MARKERS: usize = 500;

/// A moment that the person labelled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimelineMarker {
    /// Unix milliseconds.
    pub at_ms: u64,
    pub label: String,
}

impl From<&Marker> for TimelineMarker {
    fn from(marker: &Marker) -> Self {
        Self { at_ms: marker.at, label: marker.label.clone() }
    }
}

/// In order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Markers(VecDeque<TimelineMarker>);

impl Markers {
    pub(super) fn add(&mut self, marker: TimelineMarker) {
        let place = self.0.partition_point(|other| other.at_ms <= marker.at_ms);
        self.0.insert(place, marker);
        if self.0.len() > MAX_MARKERS {
            self.0.pop_front();
        }
    }

    /// Removes only one marker if two are equal.
    pub(super) fn remove(&mut self, marker: &TimelineMarker) {
        if let Some(place) = self.0.iter().position(|other| other == marker) {
            self.0.remove(place);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &TimelineMarker> {
        self.0.iter()
    }
}
