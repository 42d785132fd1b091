//! Still clips: one picture, with a sensor's noise and with shifts of less than a pixel from frame to frame, the same
//! every time. And the label of its largest face in each frame, followed in different ways.

use std::time::Duration;

use mien_models::{Analyzer, Detection, Frame, Scope, Tracker};
use mien_shared::{Expression, Face, Scores};

use super::picture::Picture;

/// Deviation of each channel, of 255: a webcam's in a room.
const NOISE: f32 = 5.0;
/// Largest shift in pixels.
const SHIFT: f32 = 0.5;
const SIZE: (u32, u32) = (640, 480);

/// A picture placed in a camera's frame.
pub(crate) struct StillClip {
    /// Three channels of pixels, one pixel larger on each side than the frame.
    pixels: Vec<f32>,
    seed: u64,
}

impl StillClip {
    /// With this point of the picture in the middle of the frame, and `scale` times the size.
    pub(crate) fn of(picture: &Picture, [x, y]: [f32; 2], scale: f32) -> Self {
        let (width, height) = (SIZE.0 + 2, SIZE.1 + 2);
        // A mean of points, so that what is made smaller is not jagged.
        let points = ((1.0 / scale).ceil() as u32).max(3);
        let sample = |across: u32, down: u32, channel: usize| {
            let place = |pixel: u32, point: u32, length: u32, middle: f32| {
                let offset = (point as f32 + 0.5) / points as f32;
                (pixel as f32 + offset - length as f32 / 2.0) / scale + middle
            };
            let all = (0..points * points).map(|point| {
                let x = place(across, point % points, width, x);
                picture_at(picture, [x, place(down, point / points, height, y)], channel)
            });
            all.sum::<f32>() / (points * points) as f32
        };
        let pixels = (0..height)
            .flat_map(|down| {
                (0..width).flat_map(move |across| (0..3).map(move |channel| (across, down, channel)))
            })
            .map(|(across, down, channel)| sample(across, down, channel))
            .collect();
        Self { pixels, seed: 0x9E37_79B9_7F4A_7C15 }
    }

    pub(crate) fn next(&mut self) -> Picture {
        let shift = [self.share(), self.share()].map(|share| 1.0 + SHIFT * (2.0 * share - 1.0));
        let row = (SIZE.0 + 2) as usize * 3;
        let mut rgba = Vec::with_capacity((SIZE.0 * SIZE.1 * 4) as usize);
        for down in 0..SIZE.1 as usize {
            for across in 0..SIZE.0 as usize {
                let [x, y] = [across as f32 + shift[0], down as f32 + shift[1]];
                let (left, top) = (x as usize, y as usize);
                let (fx, fy) = (x - left as f32, y - top as f32);
                for channel in 0..3 {
                    let at = top * row + left * 3 + channel;
                    let upper = self.pixels[at] * (1.0 - fx) + self.pixels[at + 3] * fx;
                    let lower = self.pixels[at + row] * (1.0 - fx) + self.pixels[at + row + 3] * fx;
                    // The sum of four even numbers is about normal.
                    let noise = (0..4).map(|_| self.share()).sum::<f32>() - 2.0;
                    let level = upper * (1.0 - fy) + lower * fy + NOISE * 1.73 * noise;
                    rgba.push(level.round().clamp(0.0, 255.0) as u8);
                }
                rgba.push(255);
            }
        }
        Picture { width: SIZE.0, height: SIZE.1, rgba }
    }

    /// From 0 to 1.
    fn share(&mut self) -> f32 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 40) as f32 / (1_u64 << 24) as f32
    }
}

fn picture_at(picture: &Picture, [x, y]: [f32; 2], channel: usize) -> f32 {
    let within = |at: f32, length: u32| (at.max(0.0) as u32).min(length - 1) as usize;
    let at = within(y, picture.height) * picture.width as usize + within(x, picture.width);
    f32::from(picture.rgba[at * 4 + channel])
}

/// What is shown of a face: in what square it is read, and how its scores are smoothed.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    /// Each frame's square is its own; a fixed time constant of 300 ms.
    pub(crate) before: Changes,
    /// Squares are steadied.
    pub(crate) now: Changes,
}

/// Labels over time, and how much the scores waver.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    labels: Vec<Option<Expression>>,
    raw: Vec<Scores>,
    shown: Vec<Scores>,
    sides: Vec<f32>,
}

impl Changes {
    fn add(&mut self, face: &Face, raw: &Detection) {
        self.labels.push(face.expression);
        self.raw.push(raw.scores);
        self.shown.push(face.scores);
        self.sides.push(raw.strongest.map_or(0.0, |bounds| bounds.width));
    }

    /// How often the label is another than in the frame before.
    pub(crate) fn labels(&self) -> usize {
        self.labels.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    /// The largest deviation of a score: of single frames, and as shown.
    pub(crate) fn deviations(&self) -> [f32; 2] {
        [&self.raw, &self.shown].map(|all| {
            // Without the first second, in which the first frame counts for more than others.
            let all = all.get(15..).unwrap_or_default();
            let of = |expression: usize| deviation(all.iter().map(|scores| scores.0[expression]));
            (0..Expression::COUNT).map(of).fold(0.0, f32::max)
        })
    }

    /// Deviation of the detector's box, in its own size.
    pub(crate) fn box_deviation(&self) -> f32 {
        deviation(self.sides.iter().copied()) * self.sides.len() as f32 / self.sides.iter().sum::<f32>()
    }
}

fn deviation(values: impl ExactSizeIterator<Item = f32> + Clone) -> f32 {
    let count = values.len() as f32;
    let mean = values.clone().sum::<f32>() / count;
    (values.map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt()
}

/// Follows a still face for some frames in both ways.
pub(crate) fn follow(analyzer: &mut Analyzer, clip: &mut StillClip, frames: u32, fps: u32) -> Ways {
    let mut ways = Ways::default();
    let mut tracker = Tracker::new();
    let mut old = Before::default();
    for frame in 0..frames {
        let picture = clip.next();
        let now = Duration::from_secs(1) * frame / fps;
        let largest = |analyzer: &mut Analyzer, frame: &Frame<'_>, expected: &[_]| {
            analyzer.analyze_expecting(frame, Scope::Near, 1, expected).expect("an answer").faces
        };
        let own = largest(analyzer, &picture.frame(), &[]);
        if let Some(raw) = own.first() {
            ways.before.add(&old.update(now, raw), raw);
        }
        let steady = largest(analyzer, &picture.frame(), &tracker.expected());
        let faces = tracker.update(now, &steady);
        if let (Some(face), Some(raw)) = (faces.first(), steady.first()) {
            ways.now.add(face, raw);
        }
    }
    ways
}

/// How scores were smoothed before: logarithms, with a time constant of 300 ms whatever happens.
#[derive(Default)]
struct Before {
    log_scores: Option<[f32; Expression::COUNT]>,
    at: Duration,
}

impl Before {
    fn update(&mut self, now: Duration, raw: &Detection) -> Face {
        let new = raw.scores.0.map(|score| score.max(1e-4).ln());
        let share = 1.0 - (-now.saturating_sub(self.at).as_secs_f32() / 0.3).exp();
        let smooth = match self.log_scores {
            Some(old) => std::array::from_fn(|at| old[at] + share * (new[at] - old[at])),
            None => new,
        };
        (self.log_scores, self.at) = (Some(smooth), now);
        let powers = smooth.map(f32::exp);
        let scores = Scores(powers.map(|power| power / powers.iter().sum::<f32>()));
        let (top, confidence) = scores.top();
        let is_named = confidence >= mien_models::ABSTAIN_BELOW && raw.quality >= mien_models::JUDGED_FROM;
        Face::new(1, raw.bounds, is_named.then_some(top), scores)
    }
}
