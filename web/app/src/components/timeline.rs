//! The timeline: chart, values under pointer or keys, zoom, and the same as a table.

use std::sync::atomic::{AtomicU32, Ordering};

use leptos::ev::{KeyboardEvent, PointerEvent, WheelEvent};
use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use mien_shared::Expression;

use super::table::TimelineTable;
use super::text::text;
use crate::browser;
use crate::draw::{Chart, SizeGuard, draw_chart};
use crate::model::format;
use crate::model::timeline::{COLUMN_MS, Shown, Timeline};
use crate::model::view::View;
use crate::model::words;

/// Charts are drawn this often at most: a column is a quarter of a second wide.
const DRAW_MS: f64 = 80.0;
/// Keys move the cursor by this share of the width, at least one column.
const KEY_STEP: f64 = 1.0 / 60.0;
const ZOOM_STEP: f64 = 1.5;
/// A page may hold several timelines; each names its own readout.
static NEXT_ID: AtomicU32 = AtomicU32::new(0);

#[component]
pub(crate) fn TimelinePlot(
    timeline: RwSignal<Timeline>,
    #[prop(default = "Timeline")] title: &'static str,
    /// Whether its newest sample is of now.
    #[prop(default = Signal::stored(true), into)]
    live: Signal<bool>,
    /// Which stretch is on screen, where others choose it too.
    #[prop(default = RwSignal::new(View::default()))]
    view: RwSignal<View>,
) -> impl IntoView {
    let cursor = RwSignal::new(None::<u64>);
    let as_table = RwSignal::new(false);
    let canvas = NodeRef::<Canvas>::new();
    let plot = NodeRef::<Div>::new();
    draw_when_changed(canvas, timeline, view, cursor, live);

    let newest = move || timeline.with_untracked(Timeline::newest_ms);
    let oldest = move || timeline.with_untracked(Timeline::oldest_ms);
    let begin = Memo::new(move |_| timeline.with(Timeline::oldest_ms));
    let zoom =
        move |factor: f64, anchor: f64| view.update(|view| *view = view.zoomed(factor, anchor, newest()));
    let pan = move |share: f64| view.update(|view| *view = view.panned(share, oldest(), newest()));
    let follow = move || {
        cursor.set(None);
        view.update(|view| *view = view.following());
    };
    let step = move |direction: f64| {
        let (from, to) = view.get_untracked().range(newest());
        let width = ((to - from) as f64 * KEY_STEP).max(COLUMN_MS as f64) * direction;
        let at = cursor.get_untracked().unwrap_or(to).saturating_add_signed(width as i64);
        cursor.set(Some(at.clamp(from, to.saturating_sub(1))));
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
            // Without a reading it closes whatever else is open.
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
    let fingers = Fingers::new();
    let read_at = move |client_x: i32| {
        let at = view.get_untracked().instant_at(share_of(f64::from(client_x)), newest());
        cursor.set(Some(at));
    };
    let on_down = move |event: PointerEvent| {
        fingers.down(&event);
        read_at(event.client_x());
    };
    let on_up = move |event: PointerEvent| fingers.up(&event);
    let on_move = move |event: PointerEvent| match fingers.moved(&event) {
        Some(Gesture::Pinch(factor, middle)) => zoom(factor, share_of(middle)),
        Some(Gesture::Drag(pixels)) => {
            let width = plot.get_untracked().map_or(1.0, |plot| f64::from(plot.client_width().max(1)));
            pan(-pixels / width);
        }
        None => read_at(event.client_x()),
    };
    let on_leave = move |event: PointerEvent| {
        fingers.up(&event);
        if event.pointer_type() == "mouse" {
            cursor.set(None);
        }
    };
    let readout = move || {
        cursor.get().map_or_else(
            || "Point at it or use the arrow keys to read values".to_owned(),
            |at| timeline.with(|timeline| describe(timeline, at, live.get())),
        )
    };
    let reading = move || cursor.with(Option::is_some);
    let reads = move || reading().to_string();
    let readout_id = format!("timeline-readout-{}", NEXT_ID.fetch_add(1, Ordering::Relaxed));
    let described_by = readout_id.clone();
    view! {
        <section class="timeline" aria-label=title>
            <div class="bar">
                <h2>{title}</h2>
                <output class="readout" id=readout_id data-reading=reads
                    translate=move || if reading() { "no" } else { "yes" } lang=move || reading().then_some("en")
                    prop:textContent=text(readout)></output>
                <div class="tools">
                    <Show when=move || !view.get().follows()>
                        <button class="quiet" on:click=move |_| follow()>"Newest"</button>
                    </Show>
                    <button class="quiet" aria-label="Show a shorter time" on:click=move |_| zoom(1.0 / ZOOM_STEP, 1.0)>"+"</button>
                    <button class="quiet" aria-label="Show a longer time" on:click=move |_| zoom(ZOOM_STEP, 1.0)>"−"</button>
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
                    <li><span class="swatch" data-tone=expression.name()></span>{words::noun(expression)}</li>
                }).collect_view()}
                <li><span class="swatch" data-tone="unsure"></span>"Unsure"</li>
                <li><span class="swatch hatched"></span>"No data"</li>
            </ul>
        </section>
    }
}

/// The values at an instant in one line, the strongest first.
fn describe(timeline: &Timeline, at_ms: u64, live: bool) -> String {
    let when = if live {
        format::ago(timeline.newest_ms().saturating_sub(at_ms + COLUMN_MS))
    } else {
        browser::time_of_day(at_ms)
    };
    let flag = timeline.flags().find(|flag| flag.at_ms.abs_diff(at_ms) <= 2 * COLUMN_MS);
    let flag = flag.map(|flag| format!(" · “{}”", flag.label)).unwrap_or_default();
    let values = match timeline.shown_at(at_ms) {
        Shown::Gap => "no data".to_owned(),
        Shown::Skipped(reason) => format!("nothing analysed ({})", words::skipped(reason).to_lowercase()),
        Shown::Nobody => "nobody in view".to_owned(),
        Shown::Faces { unsure, .. } if unsure > 0.99 => "unsure".to_owned(),
        Shown::Faces { unsure, scores } => {
            let mut order = Expression::ALL;
            order.sort_by(|a, b| scores.of(*b).total_cmp(&scores.of(*a)));
            let mut parts: Vec<_> = order
                .into_iter()
                .filter(|expression| scores.of(*expression) >= 0.05)
                .take(3)
                .map(|expression| {
                    format!("{} {}", words::noun(expression), format::percent(scores.of(expression)))
                })
                .collect();
            if unsure >= 0.05 {
                parts.push(format!("unsure {}", format::percent(unsure)));
            }
            parts.join(", ")
        }
    };
    format!("{when}: {values}{flag}")
}

/// Draws after changes, at the pace of the screen and not oftener than columns change.
fn draw_when_changed(
    canvas: NodeRef<Canvas>,
    timeline: RwSignal<Timeline>,
    view: RwSignal<View>,
    cursor: RwSignal<Option<u64>>,
    live: Signal<bool>,
) {
    let asked = StoredValue::new(false);
    let drawn_ms = StoredValue::new(0.0_f64);
    let draw = move || {
        asked.try_set_value(false);
        let Some(Some(canvas)) = canvas.try_get_untracked() else { return };
        let (Some(view), Some(cursor)) = (view.try_get_untracked(), cursor.try_get_untracked()) else {
            return;
        };
        let live = live.try_get_untracked().unwrap_or_default();
        timeline.try_with_untracked(|timeline| {
            draw_chart(&canvas, &Chart { timeline, view, cursor_ms: cursor, live });
        });
        drawn_ms.try_set_value(browser::steady_ms());
    };
    let request = move |at_once: bool| {
        if asked.try_get_value() != Some(false) {
            return;
        }
        asked.set_value(true);
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
        view.track();
        cursor.track();
        live.get();
        request(true);
    });
    let sized = StoredValue::new_local(None);
    Effect::new(move |_| {
        sized.set_value(canvas.get().map(|canvas| SizeGuard::new(&canvas, move || request(true))));
    });
}

enum Gesture {
    /// Time shown becomes this many times as much, about this place in the window.
    Pinch(f64, f64),
    /// Moved by pixels.
    Drag(f64),
}

/// Pointers that are down on the chart: one drags, two pinch.
#[derive(Clone, Copy)]
struct Fingers {
    down: StoredValue<Vec<(i32, f64)>>,
}

impl Fingers {
    fn new() -> Self {
        Self { down: StoredValue::new(Vec::new()) }
    }

    fn down(self, event: &PointerEvent) {
        let finger = (event.pointer_id(), f64::from(event.client_x()));
        // More than two fingers mean nothing here.
        self.down.update_value(|down| {
            if down.len() < 2 {
                down.push(finger);
            }
        });
    }

    fn up(self, event: &PointerEvent) {
        self.down.update_value(|down| down.retain(|(id, _)| *id != event.pointer_id()));
    }

    fn moved(self, event: &PointerEvent) -> Option<Gesture> {
        let x = f64::from(event.client_x());
        self.down.try_update_value(|down| {
            let place = down.iter().position(|(id, _)| *id == event.pointer_id())?;
            let before = std::mem::replace(&mut down[place].1, x);
            let Some((_, other)) = down.get(1 - place).copied() else {
                return Some(Gesture::Drag(x - before));
            };
            let (was, is) = ((before - other).abs().max(8.0), (x - other).abs().max(8.0));
            Some(Gesture::Pinch(was / is, f64::midpoint(x, other)))
        })?
    }
}
