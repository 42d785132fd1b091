//! Pixels in, network input out: a checked view of a frame, the letterbox and the turned square crop.
//! Decodes no file format, and keeps no pixel longer than the call.

use mien_shared::FaceBox;

/// A borrowed picture: 8-bit RGBA, row by row from the top, without padding. Alpha is ignored.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    width: usize,
    height: usize,
    rgba: &'a [u8],
}

/// Why a buffer is not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {width}×{height} pixels has nothing in it")]
    Empty { width: u32, height: u32 },
    #[error("a frame of {width}×{height} pixels is larger than {MAX_SIDE} on a side")]
    TooLarge { width: u32, height: u32 },
    #[error("a frame of {width}×{height} pixels needs {expected} bytes and has {got}")]
    Bytes { width: u32, height: u32, expected: usize, got: usize },
}

/// Pixels on the longer side of a frame. Twice what a browser's canvas can hold, and small enough that sizes
/// in bytes fit 32 bits where the caller keeps to a canvas' area.
pub const MAX_SIDE: u32 = 32_768;

impl std::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({}×{})", self.width, self.height)
    }
}

impl<'a> Frame<'a> {
    pub fn new(width: u32, height: u32, rgba: &'a [u8]) -> Result<Self, FrameError> {
        if width == 0 || height == 0 {
            return Err(FrameError::Empty { width, height });
        }
        if width.max(height) > MAX_SIDE {
            return Err(FrameError::TooLarge { width, height });
        }
        // At most 2^32: saturates on wasm32, where such a buffer cannot exist.
        let expected = (width as usize).saturating_mul(height as usize).saturating_mul(4);
        if rgba.len() != expected {
            return Err(FrameError::Bytes { width, height, expected, got: rgba.len() });
        }
        Ok(Self { width: width as usize, height: height as usize, rgba })
    }

    /// In pixels.
    pub fn width(&self) -> f32 {
        self.width as f32
    }

    /// In pixels.
    pub fn height(&self) -> f32 {
        self.height as f32
    }

    fn row(&self, y: usize) -> &'a [u8] {
        &self.rgba[y * self.width * 4..(y + 1) * self.width * 4]
    }

    /// Red, green, blue at a point in pixels (the middle of the first is 0.5, 0.5), bilinear, edge repeated.
    fn sample(&self, x: f32, y: f32) -> [f32; 3] {
        let x = (x - 0.5).clamp(0.0, (self.width - 1) as f32);
        let y = (y - 0.5).clamp(0.0, (self.height - 1) as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let right = usize::from(x0 + 1 < self.width) * 4;
        let below = usize::from(y0 + 1 < self.height) * self.width * 4;
        let at = (y0 * self.width + x0) * 4;
        std::array::from_fn(|c| {
            let pixel = |offset: usize| f32::from(self.rgba[at + offset + c]);
            let top = pixel(0) + (pixel(right) - pixel(0)) * fx;
            let bottom = pixel(below) + (pixel(below + right) - pixel(below)) * fx;
            top + (bottom - top) * fy
        })
    }
}

/// Where a frame lies inside the square that a detector sees, in fractions of that square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

impl Letterbox {
    /// The frame centred, its longer side taking `fill` (0 … 1) of the square.
    pub fn new(frame: &Frame<'_>, fill: f32) -> Self {
        let longer = frame.width().max(frame.height());
        let (width, height) = (fill * frame.width() / longer, fill * frame.height() / longer);
        Self { left: (1.0 - width) / 2.0, top: (1.0 - height) / 2.0, width, height }
    }

    /// A point of the square as a point of the frame, both in fractions.
    pub fn frame_from_square(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [(x - self.left) / self.width, (y - self.top) / self.height]
    }

    /// A box of the square as a box of the frame, both in fractions.
    pub fn frame_box(&self, square: FaceBox) -> FaceBox {
        let [left, top] = self.frame_from_square([square.left, square.top]);
        FaceBox { left, top, width: square.width / self.width, height: square.height / self.height }
    }

    /// Draws the frame into `side`×`side` RGB values from −1 to 1, row by row; the bars are black. A triangle
    /// filter as wide as the reduction keeps small faces from flickering between pixels.
    pub fn draw(&self, frame: &Frame<'_>, side: usize, out: &mut Vec<f32>, row: &mut Vec<f32>) {
        out.clear();
        out.resize(side * side * 3, -1.0);
        let pixels = |fraction: f32| fraction * side as f32;
        let columns = taps(pixels(self.left), pixels(self.width), side, frame.width);
        let rows = taps(pixels(self.top), pixels(self.height), side, frame.height);
        for (y, vertical) in rows.iter().enumerate().filter(|(_, taps)| !taps.weights.is_empty()) {
            row.clear();
            row.resize(frame.width * 4, 0.0);
            for (source_y, &weight) in (vertical.first..).zip(&vertical.weights) {
                for (sum, &byte) in row.iter_mut().zip(frame.row(source_y)) {
                    *sum += weight * f32::from(byte);
                }
            }
            let out_row = &mut out[y * side * 3..(y + 1) * side * 3];
            for (pixel, horizontal) in out_row.chunks_exact_mut(3).zip(&columns) {
                if horizontal.weights.is_empty() {
                    continue;
                }
                let mut sum = [0.0_f32; 3];
                let sources = row[horizontal.first * 4..].chunks_exact(4);
                for (source, &weight) in sources.zip(&horizontal.weights) {
                    for (total, value) in sum.iter_mut().zip(source) {
                        *total += weight * value;
                    }
                }
                for (value, total) in pixel.iter_mut().zip(sum) {
                    *value = total / 127.5 - 1.0;
                }
            }
        }
    }
}

/// The source pixels that make one target pixel, and how much of each. No weights: the target is a bar.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// A triangle filter that brings `source` pixels to `length` target pixels starting at `start`.
fn taps(start: f32, length: f32, target: usize, source: usize) -> Vec<Taps> {
    let scale = source as f32 / length;
    let reach = scale.max(1.0);
    (0..target)
        .map(|place| {
            let middle = (place as f32 + 0.5 - start) * scale;
            if middle <= 0.0 || middle >= source as f32 {
                return Taps { first: 0, weights: Vec::new() };
            }
            let first = ((middle - reach).floor().max(0.0)) as usize;
            let last = ((middle + reach).ceil() as usize).min(source);
            let mut weights: Vec<f32> = (first..last)
                .map(|pixel| (1.0 - (pixel as f32 + 0.5 - middle).abs() / reach).max(0.0))
                .collect();
            let sum: f32 = weights.iter().sum();
            for weight in &mut weights {
                *weight /= sum;
            }
            Taps { first, weights }
        })
        .collect()
}

/// A square part of a frame, turned about its middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Square {
    /// Middle, in pixels of the frame.
    pub centre: [f32; 2],
    /// In pixels of the frame.
    pub side: f32,
    /// Clockwise on the screen, in radians: a face with this tilt stands upright in the crop.
    pub angle: f32,
    /// Swap left and right, after turning.
    pub mirrored: bool,
}

impl Square {
    /// Draws the square as three planes (red, green, blue) of `side`×`side` values from 0 to 255, appended to
    /// `out`. Beyond the frame its edge is repeated.
    pub fn draw(&self, frame: &Frame<'_>, side: usize, out: &mut Vec<f32>) {
        let start = out.len();
        let plane = side * side;
        out.resize(start + 3 * plane, 0.0);
        let out = &mut out[start..];
        let step = self.side / side as f32;
        // A bilinear sample covers two pixels: more samples a pixel where the square is much larger than the
        // crop. Sixteen a side reach a square of 3,584 pixels; beyond that it only gets coarser.
        let samples = ((step / 2.0).ceil() as usize).clamp(1, 16);
        let share = 1.0 / (samples * samples) as f32;
        let (sin, cos) = self.angle.sin_cos();
        let hand = if self.mirrored { -1.0 } else { 1.0 };
        let offset = |place: usize, sample: usize| {
            (place as f32 + (sample as f32 + 0.5) / samples as f32) * step - self.side / 2.0
        };
        for y in 0..side {
            for x in 0..side {
                let mut sum = [0.0_f32; 3];
                for sample in 0..samples * samples {
                    let across = hand * offset(x, sample % samples);
                    let down = offset(y, sample / samples);
                    let colour = frame.sample(
                        self.centre[0] + across * cos - down * sin,
                        self.centre[1] + across * sin + down * cos,
                    );
                    for (total, value) in sum.iter_mut().zip(colour) {
                        *total += value;
                    }
                }
                for (channel, total) in sum.into_iter().enumerate() {
                    out[channel * plane + y * side + x] = total * share;
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
