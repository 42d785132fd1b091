//! What fingers and mouse do on the chart.

use leptos::ev::PointerEvent;
use leptos::prelude::*;

pub(super) enum Gesture {
    Pinch {
        /// How many times as much time to show.
        factor: f64,
        /// Stays in place, in pixels of the window.
        middle_x: f64,
    },
    Drag {
        pixels: f64,
    },
}

#[derive(Clone, Copy)]
struct Pointer {
    id: i32,
    x: f64,
}

/// Pointers that are down on the chart: one drags, two pinch.
#[derive(Clone, Copy)]
pub(super) struct Pointers {
    /// At most two.
    down: StoredValue<Vec<Pointer>>,
}

impl Pointers {
    pub(super) fn new() -> Self {
        Self { down: StoredValue::new(Vec::new()) }
    }

    pub(super) fn down(self, event: &PointerEvent) {
        let pointer = Pointer { id: event.pointer_id(), x: f64::from(event.client_x()) };
        // A third finger means nothing here.
        self.down.update_value(|down| {
            if down.len() < 2 {
                down.push(pointer);
            }
        });
    }

    pub(super) fn up(self, event: &PointerEvent) {
        self.down.update_value(|down| down.retain(|pointer| pointer.id != event.pointer_id()));
    }

    pub(super) fn moved(self, event: &PointerEvent) -> Option<Gesture> {
        let x = f64::from(event.client_x());
        self.down.try_update_value(|down| {
            let place = down.iter().position(|pointer| pointer.id == event.pointer_id())?;
            let before = std::mem::replace(&mut down[place].x, x);
            let Some(Pointer { x: other, .. }) = down.get(1 - place).copied() else {
                return Some(Gesture::Drag { pixels: x - before });
            };
            let (was, is) = ((before - other).abs().max(8.0), (x - other).abs().max(8.0));
            Some(Gesture::Pinch { factor: was / is, middle_x: f64::midpoint(x, other) })
        })?
    }
}
