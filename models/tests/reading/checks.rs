//! What holds of everything that comes from outside or out of a network, however odd. The fuzz targets in `tests/fuzz`
//! call the same functions.

#[path = "../../weights/manifest.rs"]
mod manifest;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use mien_models::blazeface::{
    ANCHORS, Candidate, MIN_SCORE, REGRESSORS, SAME_FACE_IOU, decode, weighted_suppression,
};
use mien_models::detector::{Detector, each_once, merged};
use mien_models::expression::{views, views_of_crop};
use mien_models::image::{Letterbox, Square};
use mien_models::quality::quality;
use mien_models::{Frame, Keypoint, landmarks, picture};
use mien_shared::FaceBox;

/// Pixels of the pictures that are decoded here: more would only take longer.
const MOST_PIXELS: u64 = 1 << 20;
/// Of a crop.
const SIDE: usize = 8;

/// Numbers from bytes, two each: mostly of the size that networks give, and now and then one that no network should.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> f32 {
        match i16::from_le_bytes([self.byte(), self.byte()]) {
            i16::MAX => f32::INFINITY,
            i16::MIN => f32::NAN,
            32_766 => f32::MAX,
            -32_767 => f32::MIN,
            32_765 => f32::MIN_POSITIVE,
            number => f32::from(number) / 32.0,
        }
    }
}

/// Reads a network's answer of boxes: those that are kept are places, each face once, whatever else happens to them.
pub(crate) fn boxes(bytes: &[u8]) {
    let mut numbers = Numbers(bytes);
    let mut logits = vec![-20.0; ANCHORS];
    let mut regressors = vec![0.0; ANCHORS * REGRESSORS];
    while !numbers.0.is_empty() {
        let anchor = usize::from(u16::from_le_bytes([numbers.byte(), numbers.byte()])) % ANCHORS;
        logits[anchor] = numbers.number();
        regressors[anchor * REGRESSORS..][..REGRESSORS].fill_with(|| numbers.number());
    }
    let decoded = decode(&logits, &regressors, 128);
    let count = decoded.len();
    let found = weighted_suppression(decoded);
    assert!(found.len() <= count);
    assert!(found.is_sorted_by(|a, b| a.score >= b.score));
    for (place, face) in found.iter().enumerate() {
        check(face);
        let again = |other: &Candidate| face.strongest.iou(&other.strongest) > SAME_FACE_IOU;
        assert!(!found[..place].iter().any(again), "a face is found once");
    }
    let near: Vec<_> = found.iter().cloned().map(|face| Detector::Near.calibrated(face)).collect();
    let far: Vec<_> = found.iter().cloned().map(|face| Detector::Far.calibrated(face)).collect();
    let pixels = [0; 4 * 7 * 3];
    let frame = Frame::new(7, 3, &pixels).expect("a frame");
    let letterbox = Letterbox::new(&frame, 0.6);
    for face in each_once(merged(near, far)) {
        check(&face);
        check(&face.in_frame(&letterbox));
    }
}

#[track_caller]
fn check(face: &Candidate) {
    let all = [<[f32; 4]>::from(face.bounds), <[f32; 4]>::from(face.strongest)];
    assert!(all.iter().flatten().chain(face.keypoints.iter().flatten()).all(|number| number.is_finite()));
    for bounds in [face.bounds, face.strongest] {
        assert!(bounds.width > 0.0 && bounds.height > 0.0, "{bounds:?}");
    }
    assert!((MIN_SCORE..=1.0).contains(&face.score), "{}", face.score);
}

/// Cuts a face out of a frame. If the face is one that [`boxes`] would let through, the crop shows colours and the
/// quality is a share; if not, there is still an end and no panic.
pub(crate) fn crops(bytes: &[u8]) {
    let mut numbers = Numbers(bytes);
    let (width, height) = (u32::from(numbers.byte()) % 40, u32::from(numbers.byte()) % 40);
    let mut place = || numbers.number() / 64.0;
    let bounds = FaceBox { left: place(), top: place(), width: place(), height: place() };
    let mut keypoints = [[0.0; 2]; Keypoint::COUNT];
    keypoints.as_flattened_mut().fill_with(&mut place);
    let square = Square {
        centre: [place() * 8.0, place() * 8.0],
        side: place() * 8.0,
        angle: place(),
        mirrored: true,
        outside: mien_models::image::Outside::Black,
    };
    let face = Candidate { bounds, strongest: bounds, keypoints, score: 0.9 };
    let count = width as usize * height as usize * 4;
    let rgba: Vec<u8> = numbers.0.iter().copied().cycle().take(count).collect();
    let frame = Frame::new(width, height, &rgba);
    assert_eq!(frame.is_ok(), count > 0 && rgba.len() == count);
    let Ok(frame) = frame else { return };

    let mut crop = Vec::new();
    let [first, second] = views(&frame, &face);
    let [whole, turned] = views_of_crop(&frame, Some(&face));
    let of_face = [first, second, whole, turned, landmarks::square(&frame, &face)];
    for (place, square) in of_face.into_iter().chain([square]).enumerate() {
        crop.clear();
        square.draw(&frame, SIDE, &mut crop);
        assert_eq!(crop.len(), 3 * SIDE * SIDE);
        let is_good = if place < of_face.len() { is_place(&face) } else { is_square(&square) };
        let colours = -0.01..=255.01;
        assert!(!is_good || crop.iter().all(|value| colours.contains(value)), "{square:?} {crop:?}");
    }
    let quality = quality(&frame, &face, &crop);
    let share = 0.0..=1.0;
    assert!(!is_place(&face) || share.contains(&quality.value) || crop.iter().any(|v| !v.is_finite()));

    let (mut square, mut row) = (Vec::new(), Vec::new());
    for fill in [1.0, 0.6] {
        Letterbox::new(&frame, fill).draw(&frame, SIDE, &mut square, &mut row);
        assert!(
            square.len() == 3 * SIDE * SIDE && square.iter().all(|value| (-1.001..=1.001).contains(value))
        );
    }
}

fn is_place(face: &Candidate) -> bool {
    let bounds = <[f32; 4]>::from(face.bounds);
    let near = |number: &f32| number.abs() <= 16.0;
    bounds.iter().chain(face.keypoints.iter().flatten()).all(near) && bounds[2] > 0.0 && bounds[3] > 0.0
}

fn is_square(square: &Square) -> bool {
    let [x, y] = square.centre;
    [x, y, square.side, square.angle].iter().all(|number| number.abs() <= 1_000.0) && square.side > 0.0
}

/// Reads a manifest. Whatever its strings hold, each model stays one line of code.
pub(crate) fn manifest(text: &str) {
    if let Ok(code) = manifest::constants(text) {
        let models = code.lines().filter(|line| line.starts_with("    ModelInfo {")).count();
        assert_eq!(code.lines().count(), models + 3, "{code}");
        assert!(models <= 5 && code.contains(&format!("[ModelInfo; {models}]")), "{code}");
    }
}

/// Reads a picture file. What is read is a frame; what is not is said.
pub(crate) fn picture(bytes: &[u8]) {
    match decoded(bytes) {
        // A decoder's own fault, which `mien-analyze` reports.
        None => {}
        Some(Ok(picture)) => {
            let pixels = picture.into_rgba8();
            assert!(u64::from(pixels.width()) * u64::from(pixels.height()) <= MOST_PIXELS);
            let frame = Frame::new(pixels.width(), pixels.height(), pixels.as_raw());
            assert!(frame.is_ok() || pixels.is_empty(), "{frame:?}");
        }
        Some(Err(fault)) => assert!(!fault.to_string().is_empty()),
    }
}

thread_local! {
    static DECODES: Cell<bool> = const { Cell::new(false) };
}

/// `None` if the decoder panicked.
fn decoded(bytes: &[u8]) -> Option<Result<image::DynamicImage, picture::PictureError>> {
    // libFuzzer ends the process in its hook, before anything could be caught.
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !DECODES.get() {
                loud(panic);
            }
        }));
    });
    DECODES.set(true);
    let decoded = catch_unwind(AssertUnwindSafe(|| picture::decode_within(bytes, MOST_PIXELS)));
    DECODES.set(false);
    decoded.ok()
}
