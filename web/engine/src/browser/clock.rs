//! Both clocks of the page, read here and nowhere else.

use std::time::Duration;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::clock::{Captured, Steady, WallMs};

/// A greater age means that a clock is wrong, not that a frame is late.
const OLDEST: Duration = Duration::from_secs(2);
/// Readings of the two clocks that are further apart than this do not belong together: the page was held up between them.
const TOGETHER: Duration = Duration::from_millis(5);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// Now, by the monotonic clock: for every deadline, pause and age.
pub fn steady_now() -> Steady {
    steady(performance_now())
}

/// The same, in milliseconds with fractions.
pub(crate) fn now_precise_ms() -> f64 {
    performance_now()
}

/// A `DOMHighResTimeStamp`.
pub(crate) fn steady(ms: f64) -> Steady {
    Steady::after(Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or_default())
}

/// Now, by the wall clock: a label and nothing else.
#[expect(clippy::disallowed_methods, reason = "the one place that labels captures, and answers with a label")]
pub fn wall_now() -> WallMs {
    WallMs(js_sys::Date::now() as u64)
}

/// Now, by both clocks.
pub(crate) fn captured_now() -> Captured {
    let read = || {
        let (before, at, after) = (steady_now(), wall_now(), steady_now());
        (Captured { at, steady: after }, after.since(before))
    };
    let (captured, apart) = read();
    // If it is held up twice in a row, the clock is too coarse for a better reading.
    if apart <= TOGETHER { captured } else { read().0 }
}

/// What was captured this long ago.
pub(crate) fn captured_before(age: Duration) -> Captured {
    let now = captured_now();
    if age > OLDEST { now } else { now.before(age) }
}

/// What a worker has seen when its `performance.timeOrigin` and `performance.now()` were this together.
pub(crate) fn captured_at(told_ms: f64) -> Captured {
    let origin = web_sys::window().and_then(|window| window.performance()).map(|clock| clock.time_origin());
    let age_ms = origin.map_or(0.0, |origin| origin + performance_now() - told_ms);
    captured_before(Duration::try_from_secs_f64(age_ms / 1_000.0).unwrap_or_default())
}
