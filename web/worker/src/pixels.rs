//! From a bitmap to pixels, at the size that is analysed.

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ImageBitmap, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

/// One canvas for all frames.
pub(crate) struct PixelReader {
    canvas: OffscreenCanvas,
    context: OffscreenCanvasRenderingContext2d,
}

impl PixelReader {
    pub(crate) fn new() -> Result<Self, JsValue> {
        let canvas = OffscreenCanvas::new(1, 1)?;
        let options = Object::new();
        // Every frame is read back, so a canvas on the graphics card would only add the transfer there and back.
        Reflect::set(&options, &"willReadFrequently".into(), &true.into())?;
        let context = canvas
            .get_context_with_context_options("2d", &options)?
            .ok_or_else(|| JsValue::from_str("no canvas to read with"))?
            .dyn_into()?;
        Ok(Self { canvas, context })
    }

    /// Width, height and RGBA rows, the longer side at most `long_side`. Never larger than the bitmap.
    pub(crate) fn read(
        &mut self,
        bitmap: &ImageBitmap,
        long_side: u32,
    ) -> Result<(u32, u32, Vec<u8>), JsValue> {
        let (width, height) = fit(bitmap.width(), bitmap.height(), long_side);
        // Setting the size clears the canvas, so it is set only when it changes.
        if (self.canvas.width(), self.canvas.height()) != (width, height) {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        let (to_width, to_height) = (f64::from(width), f64::from(height));
        self.context.clear_rect(0.0, 0.0, to_width, to_height);
        self.context.draw_image_with_image_bitmap_and_dw_and_dh(bitmap, 0.0, 0.0, to_width, to_height)?;
        let data = self.context.get_image_data(0.0, 0.0, to_width, to_height)?;
        Ok((width, height, data.data().0))
    }
}

/// The size with the same aspect ratio whose longer side is at most `long_side`; a side is at least 1.
fn fit(width: u32, height: u32, long_side: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= long_side.max(1) {
        return (width.max(1), height.max(1));
    }
    let scaled = |side: u32| {
        let exact = u64::from(side) * u64::from(long_side.max(1));
        ((exact + u64::from(longer) / 2) / u64::from(longer)).max(1) as u32
    };
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn frames_shrink_in_shape_and_never_grow() {
        for (from, long_side, to) in [
            ((1280, 720), 640, (640, 360)),
            ((720, 1280), 640, (360, 640)),
            ((320, 240), 640, (320, 240)),
            ((8192, 1), 640, (640, 1)),
            ((0, 0), 640, (1, 1)),
            ((10, 10), 0, (1, 1)),
        ] {
            assert_eq!(fit(from.0, from.1, long_side), to);
        }
    }
}
