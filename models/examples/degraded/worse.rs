//! A photograph made worse in every way that cameras and people make it.

use std::fmt;

use image::RgbaImage;
use image::imageops::{self, FilterType};

use super::common::Picture;
use super::common::photographs::Photograph;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    None,
    Size,
    Blur,
    Noise,
    Dark,
    Bright,
    Flat,
    CutBelow,
    CutAbove,
    CutLeft,
    CutRight,
    Turned,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Size => "size",
            Self::Blur => "blur",
            Self::Noise => "noise",
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::Flat => "flat",
            Self::CutBelow => "cut below",
            Self::CutAbove => "cut above",
            Self::CutLeft => "cut left",
            Self::CutRight => "cut right",
            Self::Turned => "turned",
        })
    }
}

pub(crate) fn worse(photograph: &Photograph) -> Vec<(Kind, f32, Picture)> {
    let Picture { width, height, rgba } = &photograph.picture;
    let whole = RgbaImage::from_raw(*width, *height, rgba.clone()).expect("a picture");
    // The longer side of the face's box.
    let [x, y, square] = photograph.square;
    let face = square / 1.15;
    let mut all = vec![(Kind::None, 0.0, photograph.picture.clone())];
    for pixels in [12.0, 16.0, 20.0, 24.0, 28.0, 32.0, 40.0, 48.0, 64.0, 96.0_f32] {
        let scale = pixels / face;
        let to = |length: u32| ((length as f32 * scale).round() as u32).max(1);
        let small = imageops::resize(&whole, to(*width), to(*height), FilterType::Triangle);
        let mut room = RgbaImage::from_pixel(640, 480, image::Rgba([120, 120, 120, 255]));
        imageops::replace(&mut room, &small, 200, 120);
        all.push((Kind::Size, pixels, picture(&room)));
    }
    for share in [0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12_f32] {
        all.push((Kind::Blur, share, picture(&imageops::blur(&whole, share * face))));
    }
    for deviation in [8.0, 16.0, 32.0, 48.0, 64.0, 96.0] {
        all.push((Kind::Noise, deviation, noisy(&whole, deviation)));
    }
    let mut points = |kind, change: &dyn Fn(f32, f32) -> f32| {
        for level in [0.5, 0.25, 0.12, 0.06, 0.03] {
            let mut changed = whole.clone();
            for pixel in changed.pixels_mut() {
                for channel in &mut pixel.0[..3] {
                    *channel = change(f32::from(*channel), level).round().clamp(0.0, 255.0) as u8;
                }
            }
            all.push((kind, level, picture(&changed)));
        }
    };
    points(Kind::Dark, &|value, level| value * level);
    points(Kind::Bright, &|value, level| 255.0 - (255.0 - value) * level);
    points(Kind::Flat, &|value, level| 128.0 + (value - 128.0) * level);
    // The box about the face lies .04 of the square below its middle.
    let middle = y + 0.04 * square;
    let (left, top, right, bottom) =
        (x - face / 2.0, middle - face / 2.0, x + face / 2.0, middle + face / 2.0);
    for share in [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5_f32] {
        let cut = share * face;
        let part = |from_x: f32, from_y: f32, to_x: f32, to_y: f32| {
            let (from_x, from_y) = (from_x.max(0.0) as u32, from_y.max(0.0) as u32);
            let (to_x, to_y) = ((to_x as u32).min(*width), (to_y as u32).min(*height));
            picture(&imageops::crop_imm(&whole, from_x, from_y, to_x - from_x, to_y - from_y).to_image())
        };
        let (w, h) = (*width as f32, *height as f32);
        all.push((Kind::CutBelow, share, part(0.0, 0.0, w, bottom - cut)));
        all.push((Kind::CutAbove, share, part(0.0, top + cut, w, h)));
        all.push((Kind::CutLeft, share, part(left + cut, 0.0, w, h)));
        all.push((Kind::CutRight, share, part(0.0, 0.0, right - cut, h)));
    }
    all.push((Kind::Turned, 90.0, picture(&imageops::rotate90(&whole))));
    all.push((Kind::Turned, 180.0, picture(&imageops::rotate180(&whole))));
    all.push((Kind::Turned, 270.0, picture(&imageops::rotate270(&whole))));
    all
}

fn picture(image: &RgbaImage) -> Picture {
    Picture { width: image.width(), height: image.height(), rgba: image.as_raw().clone() }
}

/// Nearly normal noise of this deviation in each channel, the same every time.
fn noisy(image: &RgbaImage, deviation: f32) -> Picture {
    let mut state = 1_u32;
    let mut uniform = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    // Three uniform numbers have a variance of a quarter.
    let mut normal = || 2.0 * (uniform() + uniform() + uniform());
    let mut noisy = image.clone();
    for pixel in noisy.pixels_mut() {
        for channel in &mut pixel.0[..3] {
            *channel = (f32::from(*channel) + deviation * normal()).round().clamp(0.0, 255.0) as u8;
        }
    }
    picture(&noisy)
}
