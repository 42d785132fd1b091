//! The shipped worker gives the answers that the same code gives natively, and answers whatever is posted to it.

use image::RgbaImage;
use mien_kit::parts;
use mien_models::weights::WEIGHTS;
use mien_models::{Analyzer, Detection, Frame, Scope, picture};
use mien_page_tests::worker::{Fault, Worker};

/// The contract between native and wasm.
const TOLERANCE: f32 = 1e-3;

fn worker() -> Worker {
    Worker::start(&parts::root().join("dist")).expect("the worker of the built page starts")
}

fn native(analyzer: &mut Analyzer, pixels: &RgbaImage, scope: Scope) -> Vec<Detection> {
    let frame = Frame::new(pixels.width(), pixels.height(), pixels.as_raw()).expect("a picture");
    analyzer.analyze(&frame, scope, usize::MAX).expect("an answer").faces
}

/// The largest difference between two numbers of the faces.
fn difference(a: &Detection, b: &Detection) -> f32 {
    let numbers = |face: &Detection| {
        let mut numbers = <[f32; 4]>::from(face.bounds).to_vec();
        numbers.extend(face.keypoints.as_flattened());
        numbers.extend(face.scores.0);
        numbers.extend([face.score, face.quality]);
        numbers
    };
    numbers(a).iter().zip(numbers(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_worker_of_the_page_says_what_the_command_line_says() {
    let mut worker = worker();
    let mut analyzer = Analyzer::new_verified(&WEIGHTS).expect("the weights");
    for name in ["astronaut.png", "grace_hopper.jpg"] {
        let file = parts::fixture(name);
        let pixels = picture::read(&file).expect("a fixture").into_rgba8();
        for scope in [Scope::Near, Scope::Full, Scope::Thorough, Scope::Cropped] {
            let expected = native(&mut analyzer, &pixels, scope);
            let seen = worker.read(&pixels, scope).expect("an answer");
            assert_eq!((seen.len(), seen.len()), (expected.len(), 1), "{name} {scope:?}");
            for (seen, expected) in seen.iter().zip(&expected) {
                let differs = difference(seen, expected);
                assert!(differs <= TOLERANCE, "{name} {scope:?} differs by {differs}");
                assert_eq!(seen.expression, expected.expression, "{name} {scope:?}");
            }
        }
        // A PNG has one meaning; of a JPEG each decoder makes its own by a few levels.
        let of_file = worker.read_file(&file, Some(&pixels), Scope::Full).expect("an answer");
        let apart = of_file.apart.expect("a picture of the same size");
        assert!(apart.mean < 1.0 && (apart.most == 0.0 || name.ends_with(".jpg")), "{name}: {apart:?}");
        assert_eq!(of_file.faces.len(), 1, "{name}");
    }
}

/// Each of these is a fault of its own frame: the worker answers the next one.
#[test]
fn whatever_is_posted_in_a_pictures_place_is_answered() {
    let mut worker = worker();
    for nothing in ["null", "7", "{}", "new Uint8Array(4)", "new ImageData(2, 2)"] {
        let fault = worker.odd(nothing).expect_err(nothing);
        assert!(matches!(fault, Fault::Worker(_)), "{nothing}: {fault}");
    }
    let of = |width: u32, height: u32| format!("createImageBitmap(new ImageData({width}, {height}))");
    // The browser itself makes none of no size, and posts none whose pixels are gone.
    for none in [of(0, 3), format!("{}.then(bitmap => {{ bitmap.close(); return bitmap }})", of(3, 3))] {
        let fault = worker.odd(&none).expect_err(&none);
        assert!(matches!(fault, Fault::Browser(_)), "{none}: {fault}");
    }
    for (width, height) in [(1, 1), (1, 3_000), (3_000, 1), (4_096, 4_096)] {
        let seen = worker.odd(&of(width, height)).expect("an answer");
        assert!(seen.is_empty(), "nobody is in {width}×{height} pixels without anything");
    }
    let portrait = picture::read(&parts::fixture("astronaut.png")).expect("a fixture").into_rgba8();
    assert_eq!(worker.read(&portrait, Scope::Near).expect("an answer").len(), 1);
}
