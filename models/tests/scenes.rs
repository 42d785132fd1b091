//! Finds exactly the faces that are there: portraits of many sizes on plain and busy backgrounds, galleries, turned
//! pictures.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::fs;
use std::path::Path;

use common::{Picture, WEIGHTS};
use image::imageops::{self, FilterType};
use image::{Rgba, RgbaImage};
use mien_models::{Analyzer, Detection, Scope};

/// A portrait and where its face is: middle and longer side of the box, in fractions of the portrait.
struct Portrait {
    name: &'static str,
    image: RgbaImage,
    face: [f32; 3],
}

fn portraits() -> [Portrait; 2] {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs this");
    let read = |name: &'static str, face| {
        let file = Path::new(&manifest).join("../tests/fixtures").join(name);
        let picture = Picture::read(&fs::read(file).expect(name));
        let image = RgbaImage::from_raw(picture.width, picture.height, picture.rgba).expect("whole");
        let side = image.width().min(image.height());
        let image = imageops::crop_imm(&image, 0, 0, side, side).to_image();
        Portrait { name, image, face }
    };
    [
        read("astronaut.png", [226.0 / 512.0, 125.0 / 512.0, 102.0 / 512.0]),
        read("grace_hopper.jpg", [267.0 / 512.0, 240.0 / 512.0, 196.0 / 512.0]),
    ]
}

impl Portrait {
    fn sized(&self, side: u32) -> RgbaImage {
        imageops::resize(&self.image, side, side, FilterType::Triangle)
    }
}

/// What a portrait is placed on.
#[derive(Clone, Copy, Debug)]
enum Ground {
    White,
    Black,
    Grey,
    /// Stripes, circles and noise, the same every time.
    Busy,
}

impl Ground {
    const ALL: [Self; 4] = [Self::White, Self::Black, Self::Grey, Self::Busy];

    fn of(self, width: u32, height: u32) -> RgbaImage {
        let plain = |level: u8| RgbaImage::from_pixel(width, height, Rgba([level, level, level, 255]));
        match self {
            Self::White => plain(255),
            Self::Black => plain(0),
            Self::Grey => plain(120),
            Self::Busy => RgbaImage::from_fn(width, height, |x, y| {
                let noise =
                    (x.wrapping_mul(0x9E37_79B9) ^ y.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0xC2B2_AE35);
                let stripes = (x / 23 + y / 41) % 3 * 60;
                let rings = ((x as f32 - 300.0).hypot(y as f32 - 200.0) / 19.0) as u32 % 2 * 50;
                let level = (stripes + rings + (noise >> 26)).min(255) as u8;
                Rgba([level, level.wrapping_add(40), 200 - level / 2, 255])
            }),
        }
    }
}

fn analyzer() -> Analyzer {
    Analyzer::new_verified(&WEIGHTS).expect("the weights")
}

fn seen(analyzer: &mut Analyzer, image: &RgbaImage, scope: Scope) -> Vec<Detection> {
    let picture = Picture { width: image.width(), height: image.height(), rgba: image.as_raw().clone() };
    analyzer.analyze(&picture.frame(), scope, usize::MAX).expect("an answer").faces
}

/// The smallest face that each scope must find, in fractions of the picture's longer side.
fn smallest(scope: Scope) -> f32 {
    match scope {
        Scope::Near | Scope::Full | Scope::Cropped => 48.0 / 1_280.0,
        Scope::Thorough => 24.0 / 1_280.0,
    }
}

/// `None`, or what is wrong: each face (middle and side in pixels) that is large enough must be in exactly one box,
/// each smaller one may be, and there must be no other box.
fn wrong(image: &RgbaImage, faces: &[Detection], expected: &[[f32; 3]], smallest: f32) -> Option<String> {
    let (width, height) = (image.width() as f32, image.height() as f32);
    let boxes: Vec<[f32; 3]> = faces
        .iter()
        .map(|face| {
            let b = face.bounds;
            let middle = [(b.left + b.width / 2.0) * width, (b.top + b.height / 2.0) * height];
            [middle[0], middle[1], (b.width * width).max(b.height * height)]
        })
        .collect();
    let is = |found: &[f32; 3], expected: &[f32; 3]| {
        (found[0] - expected[0]).hypot(found[1] - expected[1]) < 0.35 * expected[2]
            && (0.6..1.6).contains(&(found[2] / expected[2]))
    };
    let least = smallest * width.max(height);
    let of = |face: &[f32; 3]| boxes.iter().filter(|found| is(found, face)).count();
    let right: usize = expected.iter().map(of).sum();
    let each_once = expected.iter().all(|face| of(face) == 1 || (of(face) == 0 && face[2] < least));
    let scores: Vec<f32> = faces.iter().map(|face| face.score).collect();
    (boxes.len() != right || !each_once)
        .then(|| format!("{} boxes for {} faces: {boxes:.0?} {scores:.2?}", boxes.len(), expected.len()))
}

fn placed(portrait: &Portrait, side: u32, x: u32, y: u32) -> [f32; 3] {
    let [across, down, size] = portrait.face.map(|share| share * side as f32);
    [x as f32 + across, y as f32 + down, size]
}

#[track_caller]
fn none_wrong(wrong: &[String], of: usize) {
    assert!(wrong.is_empty(), "{} of {of}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_portrait_on_any_ground_is_one_face() {
    let mut analyzer = analyzer();
    let (mut faults, mut of) = (Vec::new(), 0);
    for portrait in portraits() {
        for ground in Ground::ALL {
            for side in [100, 150, 200, 300, 400] {
                for (x, y) in [(440, 160), (20, 20), (830, 290)] {
                    let mut image = ground.of(1_280, 720);
                    imageops::replace(&mut image, &portrait.sized(side), x.into(), y.into());
                    let expected = [placed(&portrait, side, x, y)];
                    for scope in [Scope::Near, Scope::Full, Scope::Thorough] {
                        let faces = seen(&mut analyzer, &image, scope);
                        of += 1;
                        faults.extend(wrong(&image, &faces, &expected, smallest(scope)).map(|why| {
                            format!("{} {side} on {ground:?} at {x}, {y}, {scope:?}: {why}", portrait.name)
                        }));
                    }
                }
            }
        }
    }
    none_wrong(&faults, of);
}

#[test]
fn a_gallery_has_the_faces_of_its_tiles() {
    let mut analyzer = analyzer();
    let portraits = portraits();
    let (mut faults, mut of) = (Vec::new(), 0);
    for (columns, rows, tile) in [(3, 3, 240), (4, 3, 200), (4, 4, 180), (5, 5, 140), (7, 4, 180)] {
        for gap in [0, 12] {
            let step = tile + gap;
            let mut image = Ground::Grey.of(columns * step, rows * step);
            let mut expected = Vec::new();
            for place in 0..columns * rows {
                let portrait = &portraits[place as usize % 2];
                let (x, y) = (place % columns * step, place / columns * step);
                imageops::replace(&mut image, &portrait.sized(tile), x.into(), y.into());
                expected.push(placed(portrait, tile, x, y));
            }
            // Without searching in tiles small faces are missed, but none is invented.
            for (scope, smallest) in [(Scope::Full, 0.2), (Scope::Thorough, smallest(Scope::Thorough))] {
                of += 1;
                let faces = seen(&mut analyzer, &image, scope);
                faults.extend(
                    wrong(&image, &faces, &expected, smallest).map(|why| {
                        format!("{columns}×{rows} tiles of {tile}, {gap} apart, {scope:?}: {why}")
                    }),
                );
            }
        }
    }
    none_wrong(&faults, of);
}

#[test]
fn a_turned_picture_has_the_faces_of_the_upright_one() {
    let mut analyzer = analyzer();
    let (mut faults, mut of) = (Vec::new(), 0);
    for portrait in portraits() {
        for side in [200, 300, 400] {
            let mut upright = Ground::White.of(1_280, 720);
            imageops::replace(&mut upright, &portrait.sized(side), 440, 160);
            let [x, y, size] = placed(&portrait, side, 440, 160);
            let (width, height) = (1_280.0, 720.0);
            for (turn, image, at) in [
                (90, imageops::rotate90(&upright), [height - y, x]),
                (180, imageops::rotate180(&upright), [width - x, height - y]),
                (270, imageops::rotate270(&upright), [y, width - x]),
            ] {
                for scope in [Scope::Full, Scope::Thorough] {
                    of += 1;
                    let faces = seen(&mut analyzer, &image, scope);
                    faults.extend(
                        wrong(&image, &faces, &[[at[0], at[1], size]], smallest(scope)).map(|why| {
                            format!("{} {side} turned by {turn}, {scope:?}: {why}", portrait.name)
                        }),
                    );
                }
            }
        }
    }
    none_wrong(&faults, of);
}
