//! The chart with its tools, and what keys and pointers do.

use std::sync::atomic::{AtomicU32, Ordering};

use leptos::ev::{KeyboardEvent, PointerEvent, WheelEvent};
use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use mien_shared::Expression;

use super::gestures::{Gesture, Pointers};
use super::readout::describe;
use super::redraw::draw_when_changed;
use super::table::TimelineTable;
use crate::components::text::text;
use crate::model::expression;
use crate::model::timeline::{COLUMN_MS, Timeline, Viewport};
use crate::saved;

/// Keys move the cursor by this share of the width, at least one column.
const KEY_STEP: f64 = 1.0 / 60.0;
const ZOOM_STEP: f64 = 1.5;
/// A page may hold several timelines; each names its own readout.
static NEXT_ID: AtomicU32 = AtomicU32::new(0);

#[component]
pub(crate) fn TimelinePlot(
    timeline: RwSignal<Timeline>,
    #[prop(default = "Timeline")] title: &'static str,
    /// Whether its newest sample is current.
    #[prop(default = Signal::stored(true), into)]
    live: Signal<bool>,
    /// Which stretch is on screen, if others set it too.
    #[prop(default = RwSignal::new(Viewport::default()))]
    viewport: RwSignal<Viewport>,
) -> impl IntoView {
    let cursor = RwSignal::new(None::<u64>);
    let as_table = RwSignal::new(false);
    let canvas = NodeRef::<Canvas>::new();
    let plot = NodeRef::<Div>::new();
    let valence = RwSignal::new(saved::valence_line());
    draw_when_changed(canvas, timeline, viewport, cursor, live, valence);

    let newest = move || timeline.with_untracked(Timeline::newest_ms);
    let oldest = move || timeline.with_untracked(Timeline::oldest_ms);
    let begin = Memo::new(move |_| timeline.with(Timeline::oldest_ms));
    let zoom = move |factor: f64, anchor: f64| {
        viewport.update(|viewport| *viewport = viewport.zoomed(factor, anchor, newest()));
    };
    let pan = move |share: f64| {
        viewport.update(|viewport| *viewport = viewport.panned(share, oldest(), newest()));
    };
    let follow = move || {
        cursor.set(None);
        viewport.update(|viewport| *viewport = viewport.following());
    };
    // What a screen reader hears: the readout itself also changes as time passes.
    let heard = RwSignal::new(String::new());
    let step = move |direction: f64| {
        let (from, to) = viewport.get_untracked().range(newest());
        let width = ((to - from) as f64 * KEY_STEP).max(COLUMN_MS as f64) * direction;
        let at = cursor.get_untracked().unwrap_or(to).saturating_add_signed(width as i64);
        let at = at.clamp(from, to.saturating_sub(1));
        cursor.set(Some(at));
        let live = live.get_untracked();
        heard.set(timeline.with_untracked(|line| describe(line, at, live, valence.get_untracked())));
    };
    let on_key = move |event: KeyboardEvent| {
        match (event.key().as_str(), event.shift_key()) {
            ("ArrowLeft", false) => step(-1.0),
            ("ArrowRight", false) => step(1.0),
            ("ArrowLeft", true) => pan(-0.25),
            ("ArrowRight", true) => pan(0.25),
            ("+" | "=", _) => zoom(1.0 / ZOOM_STEP, 1.0),
            ("-" | "−", _) => zoom(ZOOM_STEP, 1.0),
            ("Home", _) => pan(f64::from(i32::MIN)),
            ("End", _) => follow(),
            // Without a cursor it closes whatever else is open.
            ("Escape", _) if cursor.get_untracked().is_some() => cursor.set(None),
            _ => return,
        }
        event.prevent_default();
    };
    let share_of = move |client_x: f64| {
        plot.get_untracked().map_or(0.0, |plot| {
            let place = plot.get_bounding_client_rect();
            ((client_x - place.left()) / place.width().max(1.0)).clamp(0.0, 1.0)
        })
    };
    let on_wheel = move |event: WheelEvent| {
        event.prevent_default();
        if event.delta_x().abs() > event.delta_y().abs() || event.shift_key() {
            let delta = if event.delta_x() == 0.0 { event.delta_y() } else { event.delta_x() };
            pan(delta / 800.0);
        } else {
            zoom((event.delta_y() / 400.0).clamp(-1.0, 1.0).exp(), share_of(f64::from(event.client_x())));
        }
    };
    let pointers = Pointers::new();
    let move_cursor = move |client_x: i32| {
        let at = viewport.get_untracked().instant_at(share_of(f64::from(client_x)), newest());
        cursor.set(Some(at));
    };
    let on_down = move |event: PointerEvent| {
        pointers.down(&event);
        move_cursor(event.client_x());
    };
    let on_up = move |event: PointerEvent| pointers.up(&event);
    let on_move = move |event: PointerEvent| match pointers.moved(&event) {
        Some(Gesture::Pinch { factor, middle_x }) => zoom(factor, share_of(middle_x)),
        Some(Gesture::Drag { pixels }) => {
            let width = plot.get_untracked().map_or(1.0, |plot| f64::from(plot.client_width().max(1)));
            pan(-pixels / width);
        }
        None => move_cursor(event.client_x()),
    };
    let on_leave = move |event: PointerEvent| {
        pointers.up(&event);
        if event.pointer_type() == "mouse" {
            cursor.set(None);
        }
    };
    let readout = move || {
        cursor.get().map_or_else(
            || "Point at the chart or use the arrow keys to read values".to_owned(),
            |at| timeline.with(|timeline| describe(timeline, at, live.get(), valence.get())),
        )
    };
    let toggle_valence = move |_| {
        valence.update(|line| *line = line.toggled());
        saved::save_valence_line(valence.get_untracked());
    };
    let has_cursor = move || cursor.with(Option::is_some);
    let readout_id = format!("timeline-readout-{}", NEXT_ID.fetch_add(1, Ordering::Relaxed));
    let described_by = readout_id.clone();
    view! {
        <section class="timeline" aria-label=title>
            <div class="bar">
                <h2>{title}</h2>
                <p class="readout" id=readout_id data-reading=move || has_cursor().to_string()
                    translate=move || if has_cursor() { "no" } else { "yes" } lang=move || has_cursor().then_some("en")
                    prop:textContent=text(readout)></p>
                <p class="visually-hidden" aria-live="polite" translate="no" lang="en" prop:textContent=text(move || heard.get())></p>
                <div class="tools">
                    <Show when=move || !viewport.get().follows()>
                        <button class="quiet" on:click=move |_| follow()>"Newest"</button>
                    </Show>
                    <button class="quiet" aria-label="Show a shorter time" on:click=move |_| zoom(1.0 / ZOOM_STEP, 1.0)>"+"</button>
                    <button class="quiet" aria-label="Show a longer time" on:click=move |_| zoom(ZOOM_STEP, 1.0)>"−"</button>
                    <button class="quiet" data-testid="valence-line" title="How pleasant the shown expression is"
                        aria-pressed=move || valence.get().is_shown().to_string() on:click=toggle_valence>"Valence"</button>
                    <button class="quiet as-table" aria-pressed=move || as_table.get().to_string()
                        on:click=move |_| as_table.update(|on| *on = !*on)>"Table"</button>
                </div>
            </div>
            <Show
                when=move || as_table.get()
                fallback=move || view! {
                    <div class="plot" node_ref=plot tabindex="0" role="group"
                        aria-label="Chart of expressions over time" aria-describedby=described_by.clone()
                        on:keydown=on_key on:wheel=on_wheel on:pointerdown=on_down on:pointerup=on_up
                        on:pointercancel=on_up on:pointermove=on_move on:pointerleave=on_leave>
                        <canvas node_ref=canvas aria-hidden="true" data-testid="timeline"
                            data-oldest=move || begin.get().to_string()></canvas>
                    </div>
                }
            >
                <TimelineTable timeline=timeline />
            </Show>
            <ul class="legend" aria-label="Legend">
                {Expression::ALL.into_iter().map(|expression| view! {
                    <li><span class="swatch" data-tone=expression.name()></span>{expression::label(expression)}</li>
                }).collect_view()}
                <li><span class="swatch" data-tone="unsure"></span>"Unsure"</li>
                <li><span class="swatch hatched"></span>"No data"</li>
                <Show when=move || valence.get().is_shown()>
                    <li><span class="swatch line"></span>"Valence, from −1 unpleasant to +1 pleasant"</li>
                </Show>
            </ul>
        </section>
    }
}
