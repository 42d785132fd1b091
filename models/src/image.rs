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

/// Maximum pixels on the longer side of a frame. Twice what a browser's canvas can hold, and small enough that sizes in
/// bytes fit 32 bits if the caller keeps to a canvas' area.
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

    /// Adds red, green and blue at a point in pixels (the middle of the first is 0.5, 0.5), bilinear, edge repeated,
    /// times `share`.
    #[inline]
    fn add_sample(&self, [x, y]: [f32; 2], share: f32, sum: &mut [f32; 4]) {
        let x = (x - 0.5).clamp(0.0, (self.width - 1) as f32);
        let y = (y - 0.5).clamp(0.0, (self.height - 1) as f32);
        // In the last column and row the extra pixel has no weight.
        let x0 = (x as usize).min(self.width.saturating_sub(2));
        let y0 = (y as usize).min(self.height.saturating_sub(2));
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let at = (y0 * self.width + x0) * 4;
        // A frame with one column has no pixel to the right, and one with one row none below: use the same one again.
        let right = if self.width > 1 { 4 } else { 0 };
        let below = if self.height > 1 { self.width * 4 } else { 0 };
        let weights =
            [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy].map(|weight| weight * share);
        for (offset, weight) in [at, at + right, at + below, at + below + right].into_iter().zip(weights) {
            // All four channels at once, alpha included, take the processor one step.
            if let Some(pixel) = self.rgba.get(offset..).and_then(|rest| rest.first_chunk::<4>()) {
                for (total, byte) in sum.iter_mut().zip(pixel) {
                    *total += weight * f32::from(*byte);
                }
            }
        }
    }
}

/// Where a frame lies within the square that a detector sees, in fractions of that square.
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

    /// Draws the frame into `side`×`side` RGB values from −1 to 1, row by row; the bars are black. A triangle filter as
    /// wide as the reduction factor keeps small faces from flickering between pixels.
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

/// The source pixels that make up one target pixel, and the weight of each. No weights: the target is in a bar.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// A triangle filter that resamples `source` pixels to `length` target pixels starting at `start`.
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

/// The mean of bilinear samples at these positions along one side of a frame, as weights of its pixels.
fn sampled(places: impl ExactSizeIterator<Item = f32>, length: usize, outside: Outside) -> Taps {
    let share = 1.0 / places.len() as f32;
    let mut shares: Vec<(usize, f32)> = Vec::with_capacity(2 * places.len());
    for place in places {
        let inside = match outside {
            Outside::Black => inside(place, length),
            Outside::Edge => 1.0,
        };
        let place = (place - 0.5).clamp(0.0, (length - 1) as f32);
        let first = place as usize;
        let rest = place - first as f32;
        shares.push((first, (1.0 - rest) * share * inside));
        shares.push(((first + 1).min(length - 1), rest * share * inside));
    }
    let first = shares.iter().map(|(pixel, _)| *pixel).min().unwrap_or_default();
    let last = shares.iter().map(|(pixel, _)| *pixel).max().unwrap_or_default();
    let mut weights = vec![0.0; last - first + 1];
    for (pixel, share) in shares {
        weights[pixel - first] += share;
    }
    Taps { first, weights }
}

/// How much of a pixel at this position lies within `length` pixels, 0 … 1: the share of it that a bilinear sample gets
/// when the outside is black.
fn inside(place: f32, length: usize) -> f32 {
    (place + 0.5).min(length as f32 - place + 0.5).clamp(0.0, 1.0)
}

/// A square that is not turned: rows and columns are done separately, which costs an eighth of sampling each pixel.
fn draw_upright(frame: &Frame<'_>, columns: &[Taps], rows: &[Taps], out: &mut [f32]) {
    let (side, plane) = (columns.len(), columns.len() * rows.len());
    let left = columns.iter().map(|taps| taps.first).min().unwrap_or_default();
    let right = columns.iter().map(|taps| taps.first + taps.weights.len()).max().unwrap_or_default();
    let mut row = vec![0.0_f32; (right - left) * 4];
    for (y, vertical) in rows.iter().enumerate() {
        row.fill(0.0);
        for (source, &weight) in (vertical.first..).zip(&vertical.weights) {
            for (sum, &byte) in row.iter_mut().zip(&frame.row(source)[left * 4..right * 4]) {
                *sum += weight * f32::from(byte);
            }
        }
        for (x, horizontal) in columns.iter().enumerate() {
            let mut sum = [0.0_f32; 4];
            let pixels = row[(horizontal.first - left) * 4..].chunks_exact(4);
            for (pixel, &weight) in pixels.zip(&horizontal.weights) {
                for (total, value) in sum.iter_mut().zip(pixel) {
                    *total += weight * value;
                }
            }
            for (channel, total) in sum[..3].iter().enumerate() {
                out[channel * plane + y * side + x] = *total;
            }
        }
    }
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
    pub outside: Outside,
}

/// What a square shows where it lies outside the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    Black,
    /// The nearest pixel of the frame.
    Edge,
}

impl Square {
    /// Converts a point in fractions of the square to fractions of the frame. Not for mirrored squares.
    pub fn in_frame(&self, frame: &Frame<'_>, [x, y]: [f32; 2]) -> [f32; 2] {
        let (sin, cos) = self.angle.sin_cos();
        let (across, down) = ((x - 0.5) * self.side, (y - 0.5) * self.side);
        [
            (self.centre[0] + across * cos - down * sin) / frame.width(),
            (self.centre[1] + across * sin + down * cos) / frame.height(),
        ]
    }

    /// Whether the whole square, plus one pixel around it, lies within the frame.
    fn lies_within(&self, frame: &Frame<'_>) -> bool {
        let (sin, cos) = self.angle.sin_cos();
        let reach = self.side / 2.0 * (sin.abs() + cos.abs()) + 1.0;
        let [x, y] = self.centre;
        x >= reach && y >= reach && x + reach <= frame.width() && y + reach <= frame.height()
    }

    /// Draws the square as three planes (red, green, blue) of `side`×`side` values from 0 to 255, appended to
    /// `out`.
    pub fn draw(&self, frame: &Frame<'_>, side: usize, out: &mut Vec<f32>) {
        let start = out.len();
        let plane = side * side;
        out.resize(start + 3 * plane, 0.0);
        let out = &mut out[start..];
        let step = self.side / side as f32;
        // Two samples per side as in the reference recipe, and more if the square is much larger than the crop, as a
        // bilinear sample covers two pixels. Sixteen per side are enough for a square of 3,584 pixels; beyond that it
        // only gets coarser.
        let samples = ((step / 2.0).ceil() as usize).clamp(2, 16);
        let share = 1.0 / (samples * samples) as f32;
        let (sin, cos) = self.angle.sin_cos();
        let hand = if self.mirrored { -1.0 } else { 1.0 };
        let offset = |sample: usize| (sample as f32 + 0.5) * (step / samples as f32) - self.side / 2.0;
        if self.angle == 0.0 {
            let axis = |middle: f32, hand: f32, length: usize| {
                let at = |sample: usize| middle + hand * offset(sample);
                (0..side)
                    .map(|place| {
                        sampled((samples * place..samples * (place + 1)).map(at), length, self.outside)
                    })
                    .collect::<Vec<Taps>>()
            };
            let columns = axis(self.centre[0], hand, frame.width);
            let rows = axis(self.centre[1], 1.0, frame.height);
            return draw_upright(frame, &columns, &rows, out);
        }
        let black = self.outside == Outside::Black && !self.lies_within(frame);
        let mut row = vec![[0.0_f32; 4]; side];
        for y in 0..side {
            row.fill([0.0; 4]);
            for down in (samples * y..samples * (y + 1)).map(offset) {
                let start = [self.centre[0] - down * sin, self.centre[1] + down * cos];
                for (x, sum) in row.iter_mut().enumerate() {
                    for across in (samples * x..samples * (x + 1)).map(|sample| hand * offset(sample)) {
                        let at = [start[0] + across * cos, start[1] + across * sin];
                        let inside = if black {
                            inside(at[0], frame.width) * inside(at[1], frame.height)
                        } else {
                            1.0
                        };
                        frame.add_sample(at, share * inside, sum);
                    }
                }
            }
            for (x, sum) in row.iter().enumerate() {
                for (channel, total) in sum[..3].iter().enumerate() {
                    out[channel * plane + y * side + x] = *total;
                }
            }
        }
    }
}

/// Converts three planes to interleaved pixels, applying `change` to each value.
pub fn interleaved(planes: &[f32], change: impl Fn(f32) -> f32) -> Vec<f32> {
    let plane = planes.len() / 3;
    (0..plane).flat_map(|at| [0, 1, 2].map(|channel| change(planes[channel * plane + at]))).collect()
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
