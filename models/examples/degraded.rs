//! How the answers hold up as a picture gets worse: `cargo run --release -p mien-models --example degraded -- FOLDER`
//!
//! FOLDER has a folder of single-face photographs for each expression. Each photograph is made smaller, blurred,
//! darker, brighter, flatter, turned, and cut at each side. Prints CSV, one row per picture, for choosing the quality
//! below which no expression is reported. Asserts nothing.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::photographs::{Photograph, read};
use common::{Picture, WEIGHTS};
use image::RgbaImage;
use image::imageops::{self, FilterType};
use mien_models::{Analyzer, Detection, Scope};
use mien_shared::{Expression, FaceBox};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder with a folder for each expression")?;
    let every: usize = std::env::args().nth(2).map_or(Ok(1), |number| number.parse())?;
    let mut analyzer = Analyzer::new_verified(&WEIGHTS)?;
    println!(
        "file,expected,kind,level,left,top,width,height,score,label,confidence,likeliest,quality,doubts"
    );
    for photograph in read(Path::new(&folder), &mut analyzer)?.iter().step_by(every) {
        for (kind, level, picture) in worse(photograph) {
            row(&mut analyzer, photograph, kind, level, &picture);
        }
    }
    Ok(())
}

fn row(analyzer: &mut Analyzer, photograph: &Photograph, kind: &str, level: f32, picture: &Picture) {
    let frame = picture.frame();
    let expected = photograph.label.map_or("", Expression::name);
    print!("{},{expected},{kind},{level}", photograph.name);
    let seen = analyzer.analyze(&frame, Scope::Full, 1).expect("an answer");
    let Some(face) = seen.faces.first() else {
        println!(",,,,,,,,,,");
        return;
    };
    let Detection { bounds: FaceBox { left, top, width, height }, score, quality, .. } = *face;
    let (likeliest, confidence) = face.scores.top();
    println!(
        ",{left:.4},{top:.4},{width:.4},{height:.4},{score:.3},{},{confidence:.3},{likeliest},{quality:.3},{}",
        face.expression.map_or("", Expression::name),
        face.doubts.iter().map(|doubt| format!("{doubt:?}")).collect::<Vec<_>>().join(" "),
    );
}

fn worse(photograph: &Photograph) -> Vec<(&'static str, f32, Picture)> {
    let Picture { width, height, rgba } = &photograph.picture;
    let whole = RgbaImage::from_raw(*width, *height, rgba.clone()).expect("a picture");
    // The longer side of the face's box.
    let [x, y, square] = photograph.square;
    let face = square / 1.15;
    let mut all = vec![("none", 0.0, photograph.picture.clone())];
    for pixels in [12.0, 16.0, 20.0, 24.0, 28.0, 32.0, 40.0, 48.0, 64.0, 96.0_f32] {
        let scale = pixels / face;
        let to = |length: u32| ((length as f32 * scale).round() as u32).max(1);
        let small = imageops::resize(&whole, to(*width), to(*height), FilterType::Triangle);
        let mut room = RgbaImage::from_pixel(640, 480, image::Rgba([120, 120, 120, 255]));
        imageops::replace(&mut room, &small, 200, 120);
        all.push(("size", pixels, picture(&room)));
    }
    for share in [0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12_f32] {
        all.push(("blur", share, picture(&imageops::blur(&whole, share * face))));
    }
    let mut points = |kind, levels: &[f32], change: &dyn Fn(f32, f32) -> f32| {
        for &level in levels {
            let mut changed = whole.clone();
            for pixel in changed.pixels_mut() {
                for channel in &mut pixel.0[..3] {
                    *channel = change(f32::from(*channel), level).round().clamp(0.0, 255.0) as u8;
                }
            }
            all.push((kind, level, picture(&changed)));
        }
    };
    let less = [0.5, 0.25, 0.12, 0.06, 0.03];
    points("dark", &less, &|value, level| value * level);
    points("bright", &less, &|value, level| 255.0 - (255.0 - value) * level);
    points("flat", &less, &|value, level| 128.0 + (value - 128.0) * level);
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
        all.push(("cut below", share, part(0.0, 0.0, w, bottom - cut)));
        all.push(("cut above", share, part(0.0, top + cut, w, h)));
        all.push(("cut left", share, part(left + cut, 0.0, w, h)));
        all.push(("cut right", share, part(0.0, 0.0, right - cut, h)));
    }
    all.push(("turned", 90.0, picture(&imageops::rotate90(&whole))));
    all.push(("turned", 180.0, picture(&imageops::rotate180(&whole))));
    all.push(("turned", 270.0, picture(&imageops::rotate270(&whole))));
    all
}

fn picture(image: &RgbaImage) -> Picture {
    Picture { width: image.width(), height: image.height(), rgba: image.as_raw().clone() }
}
