//! Whether a drawn face can be told from a photographed one: `cargo run --release -p mien-models --example drawn -- [FOLDER]`
//!
//! Draws smileys, cartoons and line drawings in several sizes and colours, as they are and as a camera would see them
//! (a little blur, sensor noise, uneven light). Prints how many the detectors take for faces, what is read from them,
//! and two measures of flatness in the crop, beside those of the photographs in FOLDER (a folder for each expression).
//! Asserts nothing.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::photographs::read;
use common::{ASTRONAUT, GRACE_HOPPER, Picture, WEIGHTS};
use image::imageops::blur;
use image::{Rgba, RgbaImage};
use mien_models::expression::{CROP_SIDE, views};
use mien_models::{Analyzer, Landmarks, Scope, weights};

type Colour = [f32; 3];

/// What is measured of one picture's face.
struct Measured {
    label: bool,
    quality: f32,
    /// Whether the landmark network sees a face.
    meshed: bool,
    /// Share of the crop's pixels that are as bright as their right neighbours, within a level.
    even: f32,
    /// Number of colours in the crop, in steps of eight levels, per hundred pixels.
    colours: f32,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut analyzer = Analyzer::new_verified(&WEIGHTS)?;
    let mut photographs = vec![Picture::read(ASTRONAUT), Picture::read(GRACE_HOPPER)];
    if let Some(folder) = std::env::args_os().nth(1) {
        photographs.extend(read(Path::new(&folder), &mut analyzer)?.into_iter().map(|photo| photo.picture));
    }
    analyzer.add_landmarks_verified(&weights::LANDMARKS)?;
    analyzer.look_at_landmarks_of(Landmarks::All);
    println!("pictures             of   found  labelled  quality  meshed  even (5 %, half, 95 %)  colours");
    table("photographs", &mut analyzer, &photographs)?;
    let images: Vec<RgbaImage> = photographs.iter().map(image).collect();
    let through = |change: &dyn Fn(&RgbaImage) -> RgbaImage| -> Vec<Picture> {
        images.iter().map(|image| picture(&change(image))).collect()
    };
    table("photographs, filmed", &mut analyzer, &through(&filmed))?;
    // As video is that was compressed hard, or smoothed to please.
    table("photographs, soft", &mut analyzer, &through(&|image| blur(image, 2.5)))?;
    for style in Style::ALL {
        let drawn: Vec<RgbaImage> = drawings(style);
        let clean: Vec<Picture> = drawn.iter().map(picture).collect();
        let filmed: Vec<Picture> = drawn.iter().map(|image| picture(&filmed(image))).collect();
        table(&format!("{style:?}"), &mut analyzer, &clean)?;
        table(&format!("{style:?}, filmed"), &mut analyzer, &filmed)?;
    }
    Ok(())
}

fn table(
    name: &str,
    analyzer: &mut Analyzer,
    pictures: &[Picture],
) -> Result<(), Box<dyn std::error::Error>> {
    let mut all = Vec::new();
    for picture in pictures {
        all.extend(measured(analyzer, picture)?);
    }
    let share = |is: fn(&Measured) -> bool| {
        all.iter().filter(|face| is(face)).count() as f32 / all.len().max(1) as f32
    };
    let quantiles = |of: fn(&Measured) -> f32| {
        let mut numbers: Vec<f32> = all.iter().map(of).collect();
        numbers.sort_by(f32::total_cmp);
        [0.05, 0.5, 0.95]
            .map(|share| numbers.get((share * (numbers.len() as f32 - 1.0)) as usize).copied().unwrap_or(0.0))
    };
    let (even, colours) = (quantiles(|face| face.even), quantiles(|face| face.colours));
    println!(
        "{name:<19}  {:<3}  {:<5.2}  {:<8.2}  {:<7.2}  {:<6.2}  {:.2} {:.2} {:.2}          {:.1} {:.1} {:.1}",
        pictures.len(),
        all.len() as f32 / pictures.len() as f32,
        share(|face| face.label),
        quantiles(|face| face.quality)[1],
        share(|face| face.meshed),
        even[0],
        even[1],
        even[2],
        colours[0],
        colours[1],
        colours[2],
    );
    Ok(())
}

fn measured(
    analyzer: &mut Analyzer,
    picture: &Picture,
) -> Result<Option<Measured>, Box<dyn std::error::Error>> {
    let frame = picture.frame();
    let Some(face) = analyzer.analyze(&frame, Scope::Full, 1)?.faces.into_iter().next() else {
        return Ok(None);
    };
    let found = analyzer.detect(&frame, Scope::Full)?;
    let Some(candidate) = found.iter().max_by(|a, b| a.bounds.width.total_cmp(&b.bounds.width)) else {
        return Ok(None);
    };
    let mut crop = Vec::new();
    views(&frame, candidate)[1].draw(&frame, CROP_SIDE, &mut crop);
    let plane = CROP_SIDE * CROP_SIDE;
    let luma: Vec<f32> = (0..plane)
        .map(|at| 0.299 * crop[at] + 0.587 * crop[plane + at] + 0.114 * crop[2 * plane + at])
        .collect();
    let even = luma.windows(2).filter(|pair| (pair[0] - pair[1]).abs() < 1.0).count() as f32 / plane as f32;
    let colours: std::collections::BTreeSet<[u8; 3]> =
        (0..plane).map(|at| [0, 1, 2].map(|channel| crop[channel * plane + at] as u8 / 8)).collect();
    Ok(Some(Measured {
        label: face.expression.is_some(),
        quality: face.quality,
        meshed: face.look.is_some_and(|look| look.mouth.is_some()),
        even,
        colours: 100.0 * colours.len() as f32 / plane as f32,
    }))
}

#[derive(Clone, Copy, Debug)]
enum Style {
    /// A disc with an outline, two dots and an arc.
    Smiley,
    /// Skin, hair, eyes with whites, brows, nose and lips, each of one colour.
    Cartoon,
    /// The same with light and shade.
    Shaded,
    /// Black lines on white.
    Lines,
}

impl Style {
    const ALL: [Self; 4] = [Self::Smiley, Self::Cartoon, Self::Shaded, Self::Lines];
}

const SKINS: [Colour; 4] =
    [[255.0, 214.0, 40.0], [240.0, 200.0, 170.0], [190.0, 135.0, 100.0], [110.0, 70.0, 50.0]];

fn drawings(style: Style) -> Vec<RgbaImage> {
    let mut all = Vec::new();
    for skin in SKINS {
        for size in [60.0, 110.0, 160.0] {
            // Corners of the mouth up, level and down.
            for bend in [0.12, 0.0, -0.1] {
                all.push(draw(style, skin, size, bend));
            }
        }
    }
    all
}

/// One face in the middle of 640×480, `size` pixels from its middle to its chin.
fn draw(style: Style, skin: Colour, size: f32, bend: f32) -> RgbaImage {
    RgbaImage::from_fn(640, 480, |x, y| {
        let (x, y) = ((x as f32 - 320.0) / size, (y as f32 - 240.0) / size);
        let colour = colour(style, skin, bend, x, y);
        Rgba([colour[0] as u8, colour[1] as u8, colour[2] as u8, 255])
    })
}

/// In units of the face: it reaches from −1 to 1 from top to bottom.
fn colour(style: Style, skin: Colour, bend: f32, x: f32, y: f32) -> Colour {
    let lines = matches!(style, Style::Lines);
    let (dark, ground) = ([25.0, 20.0, 20.0], [245.0, 245.0, 245.0]);
    let wide = if matches!(style, Style::Smiley) { 1.0 } else { 0.78 };
    let (skin, hair, white, lips) = if lines {
        (ground, ground, ground, dark)
    } else {
        (skin, [60.0, 40.0, 30.0], [250.0, 250.0, 250.0], [180.0, 70.0, 70.0])
    };
    let face = (x / wide).hypot(y);
    let beside = x.abs();
    // The mouth is an arc; its corners bend.
    let mouth = (y - 0.45 + bend * (beside / 0.33) * (beside / 0.33)).abs();
    if beside < 0.35 && mouth < if lines { 0.025 } else { 0.05 } {
        return if matches!(style, Style::Smiley) { dark } else { lips };
    }
    let eye = ((beside - 0.33) / 0.17).hypot((y + 0.2) / 0.1);
    if matches!(style, Style::Smiley) {
        if ((beside - 0.33) / 0.09).hypot((y + 0.25) / 0.15) < 1.0 {
            return dark;
        }
    } else {
        if ((beside - 0.33) / 0.075).hypot((y + 0.2) / 0.09) < 1.0 {
            return dark;
        }
        if eye < 1.0 {
            return if lines && eye < 0.85 {
                ground
            } else if lines {
                dark
            } else {
                white
            };
        }
        if (y + 0.42 + 0.2 * (beside - 0.33) * (beside - 0.33)).abs() < 0.035 && (beside - 0.33).abs() < 0.22
        {
            return dark;
        }
        if (y - 0.15).abs() < 0.03 && beside < 0.12 || beside < 0.015 && (-0.1..0.15).contains(&y) {
            return if lines { dark } else { skin.map(|channel| 0.75 * channel) };
        }
        if face < 1.12 && y < -0.55 + 0.15 * beside && !lines {
            return hair;
        }
    }
    match face {
        face if face < 0.96 && matches!(style, Style::Shaded) => {
            // Light from the upper left, and cheeks that stand out.
            let light = 1.0 - 0.25 * face * face - 0.18 * x - 0.1 * y;
            skin.map(|channel| (channel * light).clamp(0.0, 255.0))
        }
        face if face < 0.96 => skin,
        face if face < 1.0 => dark,
        _ => ground,
    }
}

/// As a camera sees it.
fn filmed(image: &RgbaImage) -> RgbaImage {
    let mut filmed = blur(image, 1.2);
    let mut state = 7_u32;
    for (x, y, pixel) in filmed.enumerate_pixels_mut() {
        let light = 0.8 + 0.2 * (x as f32 / 640.0) - 0.1 * (y as f32 / 480.0);
        for channel in &mut pixel.0[..3] {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = ((state >> 8) as f32 / (1 << 24) as f32 - 0.5) * 14.0;
            *channel = (f32::from(*channel) * light + noise).clamp(0.0, 255.0) as u8;
        }
    }
    filmed
}

fn image(picture: &Picture) -> RgbaImage {
    RgbaImage::from_raw(picture.width, picture.height, picture.rgba.clone()).expect("a whole picture")
}

fn picture(image: &RgbaImage) -> Picture {
    Picture { width: image.width(), height: image.height(), rgba: image.as_raw().clone() }
}
