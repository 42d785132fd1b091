//! The analysed frame with its overlay, or a placeholder while there is none.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::html::Canvas;
use leptos::prelude::*;
use mien_engine::{AnalysedFrame, FrameImage, LoadProgress};

use super::text::text;
use crate::browser;
use crate::draw::{Motion, Overlay, SizeGuard, Surface};
use crate::model::format;
use crate::source_signals::SourceSignals;

/// What the stage shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StageState {
    /// Waiting for the engine or the first frame; the text says for what.
    Waiting(&'static str),
    #[default]
    Showing,
    Paused,
}

#[component]
pub(crate) fn Stage(
    signals: SourceSignals,
    #[prop(into)] state: Signal<StageState>,
    #[prop(into)] progress: Signal<Option<LoadProgress>>,
    /// Over the picture.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let frame_canvas = NodeRef::<Canvas>::new();
    let overlay_canvas = NodeRef::<Canvas>::new();
    let painter = Painter::new(frame_canvas, overlay_canvas);
    let mirrored = Memo::new(move |_| signals.frame.with(|frame| frame.as_ref().is_some_and(|f| f.mirrored)));

    let paint = painter.clone();
    Effect::new(move |_| {
        let frame = signals.frame.get();
        let Some(canvas) = frame_canvas.get() else { return };
        if frame.is_none() {
            // Setting a size clears the canvas: no face stays on screen after the camera is off.
            canvas.set_width(1);
        }
        paint.update(frame.as_deref());
    });
    let paint = painter.clone();
    let sized = StoredValue::new_local(None);
    Effect::new(move |_| {
        let paint = paint.clone();
        sized.set_value(overlay_canvas.get().map(|canvas| SizeGuard::new(&canvas, move || paint.request())));
    });

    let waiting = Memo::new(move |_| match state.get() {
        StageState::Waiting(what) => Some(what),
        _ => None,
    });
    let loaded = move || progress.get().filter(|progress| progress.total_bytes > 0);
    view! {
        <div class="stage" data-testid="stage">
            <canvas class="frame" class:mirrored=move || mirrored.get() node_ref=frame_canvas
                role="img" aria-label="The analysed picture"></canvas>
            <canvas class="overlay" node_ref=overlay_canvas aria-hidden="true"></canvas>
            {move || waiting.get().map(|what| view! {
                <div class="waiting" role="status">
                    <p prop:textContent=what></p>
                    {move || match loaded() {
                        Some(now) => view! {
                            <progress max=now.total_bytes.to_string() prop:value=now.loaded_bytes as f64
                                aria-label="Loading the analysis"></progress>
                            <p translate="no" lang="en" prop:textContent=format!(
                                "{} of {}", format::bytes(now.loaded_bytes), format::bytes(now.total_bytes)
                            )></p>
                        }.into_any(),
                        None => view! { <progress aria-label="Waiting"></progress> }.into_any(),
                    }}
                </div>
            })}
            <Show when=move || state.get() == StageState::Paused>
                <p class="badge paused" role="status">"Paused"</p>
            </Show>
            <Show when=move || state.get() == StageState::Showing && signals.stats.with(|s| s.analysed_fps > 0.0)>
                <p class="badge" translate="no" title="Frames analysed each second, and how long one takes"
                    prop:textContent=text(move || signals.stats.with(|stats| {
                        format!("{:.0}\u{a0}/s · {:.0}\u{a0}ms", stats.analysed_fps, stats.inference_ms)
                    }))></p>
            </Show>
            {children.map(|children| children())}
        </div>
    }
}

/// Draws picture and overlay when something has changed, and the overlay for as long as something moves. A page that is
/// hidden draws nothing.
#[derive(Clone)]
struct Painter {
    /// Not drawn yet.
    picture: Rc<RefCell<Option<FrameImage>>>,
    overlay: Rc<RefCell<Overlay>>,
    frame_canvas: StoredValue<NodeRef<Canvas>>,
    canvas: StoredValue<NodeRef<Canvas>>,
    is_requested: Rc<Cell<bool>>,
    motion: Motion,
}

impl Painter {
    fn new(frame_canvas: NodeRef<Canvas>, canvas: NodeRef<Canvas>) -> Self {
        Self {
            picture: Rc::default(),
            overlay: Rc::default(),
            frame_canvas: StoredValue::new(frame_canvas),
            canvas: StoredValue::new(canvas),
            is_requested: Rc::default(),
            motion: if browser::prefers_reduced_motion() { Motion::Immediate } else { Motion::Eased },
        }
    }

    /// Shows the faces of a new frame, or none.
    fn update(&self, frame: Option<&AnalysedFrame>) {
        *self.picture.borrow_mut() = frame.map(|frame| frame.image.clone());
        let mut overlay = self.overlay.borrow_mut();
        match frame {
            Some(frame) => overlay.update(frame, browser::steady_ms(), self.motion),
            None => overlay.clear(),
        }
        drop(overlay);
        self.request();
    }

    fn request(&self) {
        if self.is_requested.replace(true) {
            return;
        }
        let painter = self.clone();
        request_animation_frame(move || {
            painter.is_requested.set(false);
            // The stage may have gone since this frame was requested.
            let there = |canvas: StoredValue<NodeRef<Canvas>>| {
                canvas.try_get_value().and_then(|canvas| canvas.try_get_untracked().flatten())
            };
            if let (Some(picture), Some(canvas)) = (painter.picture.take(), there(painter.frame_canvas)) {
                // Without a 2D context there is nothing to show; figures and timeline still work.
                let _ = picture.draw(&canvas);
            }
            let Some(surface) = there(painter.canvas).and_then(|canvas| Surface::clear(&canvas)) else {
                return;
            };
            if painter.overlay.borrow().draw(&surface, browser::steady_ms()) {
                painter.request();
            }
        });
    }
}
