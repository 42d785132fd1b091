//! A canvas with the size of its element, in CSS pixels, sharp on every screen.

use leptos::prelude::window;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, ResizeObserver};

/// A cleared canvas, ready to draw in CSS pixels.
#[derive(Debug)]
pub(crate) struct Surface {
    pub context: CanvasRenderingContext2d,
    pub width: f64,
    pub height: f64,
}

impl Surface {
    /// `None` while the element has no size, or if the browser gives no 2D context.
    pub(crate) fn clear(canvas: &HtmlCanvasElement) -> Option<Self> {
        let (width, height) = (f64::from(canvas.client_width()), f64::from(canvas.client_height()));
        if width < 1.0 || height < 1.0 {
            return None;
        }
        // Beyond 3 the difference is invisible, and memory grows with the square.
        let scale = window().device_pixel_ratio().clamp(1.0, 3.0);
        let (pixel_width, pixel_height) = ((width * scale).round() as u32, (height * scale).round() as u32);
        if canvas.width() != pixel_width || canvas.height() != pixel_height {
            canvas.set_width(pixel_width);
            canvas.set_height(pixel_height);
        }
        let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
        // With plain numbers this cannot throw.
        let _ = context.set_transform(scale, 0.0, 0.0, scale, 0.0, 0.0);
        context.clear_rect(0.0, 0.0, width, height);
        Some(Self { context, width, height })
    }

    /// A filled rectangle with rounded corners.
    pub(crate) fn pill(&self, left: f64, top: f64, width: f64, height: f64, radius: f64, color: &str) {
        self.context.set_fill_style_str(color);
        self.round_rect(left, top, width, height, radius);
        self.context.fill();
    }

    /// Begins the path of a rectangle with rounded corners.
    pub(crate) fn round_rect(&self, left: f64, top: f64, width: f64, height: f64, radius: f64) {
        let radius = radius.min(width / 2.0).min(height / 2.0).max(0.0);
        self.context.begin_path();
        if self.context.round_rect_with_f64(left, top, width.max(0.0), height.max(0.0), radius).is_err() {
            self.context.rect(left, top, width, height);
        }
    }

    /// Width of a text in the current font.
    pub(crate) fn text_width(&self, text: &str) -> f64 {
        self.context.measure_text(text).map_or(0.0, |metrics| metrics.width())
    }

    pub(crate) fn text(&self, text: &str, left: f64, middle: f64, color: &str) {
        self.context.set_fill_style_str(color);
        // Drawing text throws only for lack of memory; then there is nothing to draw on.
        let _ = self.context.fill_text(text, left, middle);
    }
}

/// The value of a design token at this element, so that canvases follow the colour scheme.
pub(crate) fn css_color(element: &Element, token: &str) -> String {
    window()
        .get_computed_style(element)
        .ok()
        .flatten()
        .and_then(|style| style.get_property_value(token).ok())
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .unwrap_or_else(|| "#888888".to_owned())
}

/// Calls back whenever the size of the element changes, even where that of the window does not: a strip that opens
/// takes its room from the stage.
#[derive(Debug)]
pub(crate) struct SizeGuard {
    observer: Option<ResizeObserver>,
    _callback: Closure<dyn FnMut()>,
}

impl Drop for SizeGuard {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
    }
}

impl SizeGuard {
    pub(crate) fn new(element: &Element, on: impl FnMut() + 'static) -> Self {
        let callback = Closure::<dyn FnMut()>::new(on);
        // Throws only for what is not a function.
        let observer = ResizeObserver::new(callback.as_ref().unchecked_ref()).ok();
        if let Some(observer) = &observer {
            observer.observe(element);
        }
        Self { observer, _callback: callback }
    }
}
