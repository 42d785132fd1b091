//! Pictures and weights for the tests: embedded in the binary, because a browser has no files.
#![allow(dead_code, reason = "each test takes what it needs")]

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod photographs;

use mien_models::{Analyzer, Detection, Frame, Scope, Weights};
use serde::{Deserialize, Serialize};

pub(crate) const NEAR: &[u8] = include_bytes!("../../weights/mediapipe_face_detection_short_range.onnx");
pub(crate) const FAR: &[u8] = include_bytes!("../../weights/human_blazeface_256.onnx");
pub(crate) const EXPRESSION: &[u8] = include_bytes!("../../weights/faceapi_expression_112.onnx");
pub(crate) const WEIGHTS: Weights<'static> = Weights { near: NEAR, expression: EXPRESSION, far: Some(FAR) };

pub(crate) const ASTRONAUT: &[u8] = include_bytes!("../data/astronaut_256.png");
pub(crate) const GRACE_HOPPER: &[u8] = include_bytes!("../data/grace_hopper_256.png");

#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgba: Vec<u8>,
}

impl Picture {
    /// Comparisons between native and wasm use PNG: its pixels are exact, so both start from the same numbers.
    pub(crate) fn read(file: &[u8]) -> Self {
        let image = image::load_from_memory(file).expect("a fixture").into_rgba8();
        Self { width: image.width(), height: image.height(), rgba: image.into_raw() }
    }

    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame::new(self.width, self.height, &self.rgba).expect("a whole picture")
    }

    /// A common camera's frame with this square picture at twice its size: a face as close as in front of a laptop.
    pub(crate) fn as_camera(&self) -> Self {
        let (width, height) = (640, 480);
        let rgba = (0..width * height)
            .flat_map(|at| {
                let (x, y) = ((at % width / 2).min(self.width - 1), (at / width / 2).min(self.height - 1));
                let at = (y * self.width + x) as usize * 4;
                self.rgba[at..at + 4].iter().copied()
            })
            .collect();
        Self { width, height, rgba }
    }

    /// A quarter turn clockwise.
    pub(crate) fn turned(&self) -> Self {
        let at = |x: u32, y: u32| ((self.height - 1 - x) * self.width + y) as usize * 4;
        let rgba = (0..self.width)
            .flat_map(|y| (0..self.height).map(move |x| (x, y)))
            .flat_map(|(x, y)| self.rgba[at(x, y)..at(x, y) + 4].iter().copied())
            .collect();
        Self { width: self.height, height: self.width, rgba }
    }

    /// The part of it from one pixel to another.
    pub(crate) fn part(&self, [left, top]: [u32; 2], [right, bottom]: [u32; 2]) -> Self {
        let row = |y: u32| (y * self.width + left) as usize * 4..(y * self.width + right) as usize * 4;
        let rgba = (top..bottom).flat_map(|y| self.rgba[row(y)].iter().copied()).collect();
        Self { width: right - left, height: bottom - top, rgba }
    }

    /// This picture and another of the same height side by side.
    pub(crate) fn beside(&self, other: &Self) -> Self {
        assert_eq!(self.height, other.height);
        let rows = self.rgba.chunks(self.width as usize * 4).zip(other.rgba.chunks(other.width as usize * 4));
        Self {
            width: self.width + other.width,
            height: self.height,
            rgba: rows.flat_map(|(left, right)| [left, right].concat()).collect(),
        }
    }
}

/// The analyzer's answer for one picture.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) faces: Vec<Detection>,
}

/// The whole analyzer on the fixtures, in every way that it can be called.
pub(crate) fn cases() -> Vec<Case> {
    let mut analyzer = Analyzer::new_verified(&WEIGHTS).expect("the weights");
    let (astronaut, grace) = (Picture::read(ASTRONAUT), Picture::read(GRACE_HOPPER));
    let mut seen = |name: &str, picture: &Picture, scope| Case {
        name: name.to_owned(),
        faces: analyzer.analyze(&picture.frame(), scope, usize::MAX).expect("an answer").faces,
    };
    let mut cases = vec![
        seen("astronaut near", &astronaut, Scope::Near),
        seen("astronaut full", &astronaut, Scope::Full),
        seen("grace_hopper near", &grace, Scope::Near),
        seen("grace_hopper full", &grace, Scope::Full),
        seen("astronaut turned full", &astronaut.turned(), Scope::Full),
        seen("both full", &astronaut.beside(&grace), Scope::Full),
    ];
    for (name, picture) in [("astronaut crop", &astronaut), ("grace_hopper crop", &grace)] {
        let face = analyzer.analyze_crop(&picture.frame()).expect("an answer");
        cases.push(Case { name: name.to_owned(), faces: vec![face] });
    }
    cases
}
