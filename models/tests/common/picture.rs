//! A decoded picture, and the pictures that are made of it.

use mien_models::Frame;

#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgba: Vec<u8>,
}

impl Picture {
    /// What native and wasm are compared on is PNG: its pixels are exact, so both start from the same numbers.
    pub(crate) fn read(file: &[u8]) -> Self {
        let image = image::load_from_memory(file).expect("a fixture").into_rgba8();
        Self { width: image.width(), height: image.height(), rgba: image.into_raw() }
    }

    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame::new(self.width, self.height, &self.rgba).expect("a whole picture")
    }

    /// A common camera's frame with this square picture at twice its size: a face as near as before a laptop.
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

    /// This picture and another of its height side by side.
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
