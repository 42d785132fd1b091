//! A frame's picture, for drawing.

use std::rc::Rc;

use wasm_bindgen::JsCast;

/// The picture of one frame. It can only be drawn: no pixel can be read from it. Its memory is released with the last
/// clone.
#[derive(Clone, Debug)]
pub struct FrameImage(Rc<Bitmap>);

#[derive(Debug)]
struct Bitmap(web_sys::ImageBitmap);

impl Drop for Bitmap {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl FrameImage {
    pub(crate) fn new(bitmap: web_sys::ImageBitmap) -> Self {
        Self(Rc::new(Bitmap(bitmap)))
    }

    pub fn width(&self) -> u32 {
        self.0.0.width()
    }

    pub fn height(&self) -> u32 {
        self.0.0.height()
    }

    /// Draws the picture over the whole canvas, which takes the picture's size. False when the canvas has no
    /// 2D context.
    pub fn draw(&self, canvas: &web_sys::HtmlCanvasElement) -> bool {
        let (width, height) = (self.width(), self.height());
        // Setting a size clears the canvas, which costs even when nothing changes.
        if canvas.width() != width || canvas.height() != height {
            canvas.set_width(width);
            canvas.set_height(height);
        }
        let Ok(Some(context)) = canvas.get_context("2d") else { return false };
        let Ok(context) = context.dyn_into::<web_sys::CanvasRenderingContext2d>() else { return false };
        context.draw_image_with_image_bitmap(&self.0.0, 0.0, 0.0).is_ok()
    }
}
