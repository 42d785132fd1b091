//! Which markers belong on the timeline of a source.

use mien_shared::SourceName;
use mien_shared::api::Marker;

use crate::model::timeline::TimelineMarker;

/// Its own, and those of the whole session.
pub(super) fn of_source(markers: &[Marker], source: &SourceName) -> Vec<TimelineMarker> {
    let belongs = |marker: &&Marker| marker.source.as_ref().is_none_or(|of| of == source);
    markers.iter().filter(belongs).map(TimelineMarker::from).collect()
}
