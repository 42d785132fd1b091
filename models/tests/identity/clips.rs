//! What happens in the clips, and what a detector says of it.

use mien_models::Detection;
use mien_shared::{FaceBox, Scores};

/// Where a face is: middle in fractions of the frame's width and height, and longer side in fractions of its width.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) size: f32,
}

/// `None` while out of view.
type Person = Box<dyn Fn(f32) -> Option<Place>>;

pub(crate) struct Clip {
    pub(crate) name: &'static str,
    seconds: f32,
    people: Vec<Person>,
}

/// A frame's time, the people who can be seen in it, and what the detector says.
pub(crate) type Frame = (f32, Vec<(usize, FaceBox)>, Vec<Detection>);

/// Height of the frame in widths.
const HEIGHT: f32 = 0.75;
/// Share of the frames in which the detector misses a face.
const MISSES: f32 = 0.02;
/// Deviation of a box's middle and size, in sizes.
const WAVERS: f32 = 0.012;
/// A face of which more is covered cannot be seen.
const COVERED: f32 = 0.5;
/// Of boxes that overlap by more, the detector reports one.
const MERGED: f32 = 0.3;

fn at(x: f32, y: f32, size: f32) -> Place {
    Place { x, y, size }
}

fn person(place: impl Fn(f32) -> Option<Place> + 'static) -> Person {
    Box::new(place)
}

/// From one place to another between two times, at a steady speed.
fn walk(from: Place, to: Place, begin: f32, end: f32) -> impl Fn(f32) -> Place {
    move |now| {
        let share = ((now - begin) / (end - begin)).clamp(0.0, 1.0);
        let between = |from: f32, to: f32| from + share * (to - from);
        at(between(from.x, to.x), between(from.y, to.y), between(from.size, to.size))
    }
}

fn sways(x: f32, y: f32, size: f32, phase: f32) -> Person {
    person(move |now| {
        let (across, down) = ((1.7 * now + phase).sin(), (2.3 * now + 2.0 * phase).cos());
        Some(at(x + 0.25 * size * across, y + 0.15 * size * down, size * (1.0 + 0.05 * down)))
    })
}

fn clip(name: &'static str, seconds: f32, people: Vec<Person>) -> Clip {
    Clip { name, seconds, people }
}

/// Out of view during these times.
fn hidden(during: &'static [(f32, f32)], place: impl Fn(f32) -> Place + 'static) -> Person {
    person(move |now| {
        let is_hidden = during.iter().any(|(from, to)| (*from..*to).contains(&now));
        (!is_hidden).then(|| place(now))
    })
}

pub(crate) fn gone_for_long() -> Clip {
    clip("gone for five seconds", 12.0, vec![hidden(&[(3.0, 8.0)], |_| at(0.5, 0.4, 0.2))])
}

pub(crate) fn clips() -> Vec<Clip> {
    let cross = |near: f32, far: f32, seconds: f32| {
        let to_right = walk(at(0.15, 0.45, near), at(0.85, 0.45, near), 1.0, 1.0 + seconds);
        let to_left = walk(at(0.85, 0.43, far), at(0.15, 0.43, far), 1.0, 1.0 + seconds);
        vec![person(move |now| Some(to_right(now))), person(move |now| Some(to_left(now)))]
    };
    let row = |count: usize| {
        (0..count).map(move |place| {
            let x = (place as f32 + 0.5) / count as f32;
            sways(x, 0.5, 0.55 / count as f32, place as f32)
        })
    };
    let passes = walk(at(-0.1, 0.45, 0.22), at(1.1, 0.45, 0.22), 1.0, 5.0);
    let paces = |now: f32| at(0.5 + 0.3 * (0.8 * now).sin(), 0.45, 0.15);
    let leaves = |now: f32| match now {
        ..3.0 => at(0.5 + now / 8.0, 0.45, 0.18),
        ..4.2 => at(0.95, 0.45, 0.18),
        _ => at((0.92 - (now - 4.2) / 8.0).max(0.4), 0.45, 0.18),
    };
    let meets = |side: f32| {
        // They stop as soon as they touch, and go back.
        person(move |now| {
            let apart = 0.09 + 0.08 * (now - 4.0).abs();
            Some(at(0.5 + side * apart.min(0.35), 0.45, 0.17))
        })
    };
    let zoomed = |x: f32, y: f32, size: f32| {
        person(move |now| {
            let zoom = 1.0 + (now - 2.0).clamp(0.0, 2.0) / 2.0;
            Some(at(0.5 + zoom * (x - 0.5), 0.5 + zoom * (y - 0.5), zoom * size))
        })
    };
    let panned = |x: f32| {
        person(move |now| Some(at(x + 0.15 * (1.5 * now).sin(), 0.5 + 0.1 * (2.1 * now).sin(), 0.13)))
    };
    vec![
        clip("one still", 8.0, vec![person(|_| Some(at(0.5, 0.4, 0.25)))]),
        clip("five who sway", 10.0, row(5).collect()),
        clip("cross, one nearer", 8.0, cross(0.2, 0.13, 5.0)),
        clip("cross, as near", 8.0, cross(0.16, 0.15, 5.0)),
        clip("cross fast", 4.0, cross(0.2, 0.15, 2.0)),
        clip("one passes three", 7.0, row(3).chain([person(move |now| Some(passes(now)))]).collect()),
        clip("meet and turn back", 8.0, vec![meets(-1.0), meets(1.0)]),
        clip("still, occluded", 8.0, vec![hidden(&[(2.0, 3.0), (5.0, 6.0)], |_| at(0.4, 0.4, 0.2))]),
        clip("walks, occluded", 9.0, vec![hidden(&[(3.0, 4.0), (6.0, 6.8)], paces)]),
        clip(
            "two of five occluded",
            8.0,
            row(3)
                .chain([
                    hidden(&[(2.0, 3.0)], |now| at(0.3 + 0.02 * now, 0.2, 0.1)),
                    hidden(&[(2.5, 3.5)], |now| at(0.7 - 0.02 * now, 0.2, 0.1)),
                ])
                .collect(),
        ),
        clip("leaves and returns", 9.0, vec![hidden(&[(3.0, 4.2)], leaves), sways(0.2, 0.4, 0.15, 0.0)]),
        clip(
            "comes closer",
            7.0,
            vec![person({
                let comes = walk(at(0.3, 0.4, 0.08), at(0.55, 0.45, 0.4), 1.0, 4.0);
                move |now| Some(comes(now))
            })],
        ),
        clip("zoom", 7.0, vec![zoomed(0.4, 0.4, 0.1), zoomed(0.6, 0.45, 0.1), zoomed(0.5, 0.6, 0.1)]),
        clip("pan over four", 8.0, [0.2, 0.4, 0.6, 0.8].map(panned).into_iter().collect()),
    ]
}

fn bounds(Place { x, y, size }: Place) -> FaceBox {
    let height = size / HEIGHT;
    FaceBox { left: x - size / 2.0, top: y - height / 2.0, width: size, height }
}

/// Share of a box that another covers.
fn covered(face: &FaceBox, by: &FaceBox) -> f32 {
    let across = (face.left + face.width).min(by.left + by.width) - face.left.max(by.left);
    let down = (face.top + face.height).min(by.top + by.height) - face.top.max(by.top);
    across.max(0.0) * down.max(0.0) / (face.width * face.height)
}

/// The same numbers for the same seed.
struct Noise(u64);

impl Noise {
    /// From 0 to 1.
    fn share(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// About normal, with a deviation of 1.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.share()).sum::<f32>() - 6.0
    }
}

impl Clip {
    pub(crate) fn frames(&self, fps: f32, seed: u64) -> impl Iterator<Item = Frame> {
        let mut noise = Noise(0x9E37_79B9_7F4A_7C15 ^ (seed + 1).wrapping_mul(0xD1B5_4A32_D192_ED03));
        let mut now = 0.0;
        std::iter::from_fn(move || {
            if now >= self.seconds {
                return None;
            }
            let frame = self.frame(now, &mut noise);
            now += if now < self.seconds / 2.0 { 1.0 / fps } else { 2.0 / fps };
            Some(frame)
        })
    }

    fn frame(&self, now: f32, noise: &mut Noise) -> Frame {
        let mut places: Vec<(usize, FaceBox)> = self
            .people
            .iter()
            .enumerate()
            .filter_map(|(person, place)| Some((person, bounds(place(now)?))))
            .collect();
        // Nearest first.
        places.sort_by(|(_, a), (_, b)| b.width.total_cmp(&a.width));
        let frame = FaceBox { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
        let mut seen: Vec<(usize, FaceBox)> = Vec::new();
        for (nearer, (person, face)) in places.iter().enumerate() {
            let hides = places[..nearer].iter().map(|(_, by)| covered(face, by)).fold(0.0, f32::max);
            if hides <= COVERED && covered(face, &frame) >= COVERED {
                seen.push((*person, *face));
            }
        }
        let mut detections: Vec<Detection> = Vec::new();
        for (_, face) in &seen {
            let found = wavering(face, noise);
            let is_merged = detections.iter().any(|other| other.bounds.iou(&found) > MERGED);
            if noise.share() >= MISSES && !is_merged {
                detections.push(detection(found));
            }
        }
        // In no particular order.
        if noise.share() < 0.5 {
            detections.reverse();
        }
        (now, seen, detections)
    }
}

fn wavering(face: &FaceBox, noise: &mut Noise) -> FaceBox {
    let scale = 1.0 + WAVERS * noise.normal();
    let (width, height) = (face.width * scale, face.height * scale);
    let x = face.left + face.width * (0.5 + WAVERS * noise.normal());
    let y = face.top + face.height * (0.5 + WAVERS * noise.normal());
    FaceBox { left: x - width / 2.0, top: y - height / 2.0, width, height }
}

fn detection(bounds: FaceBox) -> Detection {
    Detection {
        landmarks: None,
        bounds,
        strongest: None,
        keypoints: [[bounds.left + bounds.width / 2.0, bounds.top + bounds.height / 2.0]; 6],
        score: 0.9,
        scores: Scores([0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]),
        expression: None,
        quality: 0.9,
        doubts: Vec::new(),
        look: None,
    }
}
