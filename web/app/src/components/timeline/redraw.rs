//! When the chart is drawn.

use leptos::html::Canvas;
use leptos::prelude::*;

use crate::browser::{self, SchemeGuard};
use crate::draw::{Chart, SizeGuard, draw_chart};
use crate::model::timeline::{Timeline, ValenceLine, Viewport};

/// Charts are drawn at most this often: a column is a quarter of a second wide.
const DRAW_MS: f64 = 80.0;

/// Draws after changes, at the pace of the screen and no more often than columns change.
pub(super) fn draw_when_changed(
    canvas: NodeRef<Canvas>,
    timeline: RwSignal<Timeline>,
    viewport: RwSignal<Viewport>,
    cursor: RwSignal<Option<u64>>,
    live: Signal<bool>,
    valence: RwSignal<ValenceLine>,
) {
    let is_requested = StoredValue::new(false);
    let drawn_ms = StoredValue::new(0.0_f64);
    let draw = move || {
        is_requested.try_set_value(false);
        let Some(Some(canvas)) = canvas.try_get_untracked() else { return };
        let (Some(viewport), Some(cursor)) = (viewport.try_get_untracked(), cursor.try_get_untracked())
        else {
            return;
        };
        let live = live.try_get_untracked().unwrap_or_default();
        let valence = valence.try_get_untracked().unwrap_or_default();
        timeline.try_with_untracked(|timeline| {
            draw_chart(&canvas, &Chart { timeline, viewport, cursor_ms: cursor, live, valence });
        });
        drawn_ms.try_set_value(browser::steady_ms());
    };
    let request = move |at_once: bool| {
        if is_requested.try_get_value() != Some(false) {
            return;
        }
        is_requested.set_value(true);
        let wait = DRAW_MS - (browser::steady_ms() - drawn_ms.get_value());
        if at_once || wait <= 0.0 {
            request_animation_frame(draw);
        } else {
            set_timeout(move || request_animation_frame(draw), std::time::Duration::from_millis(wait as u64));
        }
    };
    Effect::new(move |_| {
        canvas.track();
        timeline.track();
        request(false);
    });
    Effect::new(move |_| {
        viewport.track();
        cursor.track();
        valence.track();
        live.get();
        request(true);
    });
    // A canvas keeps the colours that it was drawn in.
    let _for_as_long_as_the_chart = StoredValue::new_local(SchemeGuard::new(move || request(true)));
    let sized = StoredValue::new_local(None);
    Effect::new(move |_| {
        sized.set_value(canvas.get().map(|canvas| SizeGuard::new(&canvas, move || request(true))));
    });
}
