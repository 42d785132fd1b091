use super::*;
use proptest::prelude::*;

fn picture(width: usize, height: usize, colour: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
    (0..width * height)
        .flat_map(|at| {
            let [r, g, b] = colour(at % width, at / width);
            [r, g, b, 255]
        })
        .collect()
}

/// 0, 10, 20, 30 as the means of two bilinear samples each, a quarter of a pixel from the middle.
const SOFTENED: [f32; 4] = [1.25, 10.0, 20.0, 28.75];

#[test]
fn a_buffer_that_is_no_frame_says_why() {
    assert_eq!(Frame::new(0, 4, &[]).unwrap_err(), FrameError::Empty { width: 0, height: 4 });
    assert_eq!(
        Frame::new(2, 2, &[0; 15]).unwrap_err(),
        FrameError::Bytes { width: 2, height: 2, expected: 16, got: 15 }
    );
    assert_eq!(Frame::new(40_000, 1, &[]).unwrap_err(), FrameError::TooLarge { width: 40_000, height: 1 });
    assert!(Frame::new(2, 2, &[0; 16]).is_ok());
}

#[test]
fn the_letterbox_is_centred_with_black_bars() {
    let pixels = picture(8, 4, |_, _| [255, 0, 255]);
    let frame = Frame::new(8, 4, &pixels).unwrap();
    let (mut out, mut row) = (Vec::new(), Vec::new());
    Letterbox::new(&frame, 1.0).draw(&frame, 8, &mut out, &mut row);
    let at = |x: usize, y: usize| [0, 1, 2].map(|c| out[(y * 8 + x) * 3 + c]);
    assert_eq!(at(4, 1), [-1.0, -1.0, -1.0]);
    assert_eq!(at(4, 6), [-1.0, -1.0, -1.0]);
    for (value, expected) in at(0, 2).into_iter().chain(at(7, 5)).zip([1.0, -1.0, 1.0].repeat(2)) {
        assert!((value - expected).abs() < 1e-6);
    }
}

#[test]
fn reduction_averages_instead_of_skipping() {
    let pixels = picture(64, 64, |x, y| [if (x + y) % 2 == 0 { 255 } else { 0 }; 3]);
    let frame = Frame::new(64, 64, &pixels).unwrap();
    let (mut out, mut row) = (Vec::new(), Vec::new());
    Letterbox::new(&frame, 1.0).draw(&frame, 8, &mut out, &mut row);
    assert!(out.iter().all(|value| value.abs() < 0.02), "{out:?}");
}

#[test]
fn an_untouched_square_is_the_picture_and_its_mirror_a_little_softened() {
    let pixels = picture(4, 4, |x, y| [(x * 10) as u8, (y * 10) as u8, 7]);
    let frame = Frame::new(4, 4, &pixels).unwrap();
    let square =
        Square { centre: [2.0, 2.0], side: 4.0, angle: 0.0, mirrored: false, outside: Outside::Edge };
    let mut out = Vec::new();
    square.draw(&frame, 4, &mut out);
    assert_eq!(out[..4], SOFTENED);
    assert_eq!(out[16..32].iter().step_by(4).copied().collect::<Vec<_>>(), SOFTENED);
    out.clear();
    Square { mirrored: true, ..square }.draw(&frame, 4, &mut out);
    assert_eq!(out[..4], [28.75, 20.0, 10.0, 1.25]);
}

#[test]
fn a_quarter_turn_brings_a_lying_face_upright() {
    // Eyes one above the other: the person's right eye at the top, the left below it, so a tilt of +90°.
    let pixels = picture(4, 4, |_, y| [(y * 10) as u8, 0, 0]);
    let frame = Frame::new(4, 4, &pixels).unwrap();
    let square = Square {
        centre: [2.0, 2.0],
        side: 4.0,
        angle: std::f32::consts::FRAC_PI_2,
        mirrored: false,
        outside: Outside::Edge,
    };
    let mut out = Vec::new();
    square.draw(&frame, 4, &mut out);
    for (value, expected) in out[..4].iter().zip(SOFTENED) {
        assert!((value - expected).abs() < 1e-3, "top of the picture is now at the left: {out:?}");
    }
}

#[test]
fn beyond_the_frame_its_edge_is_repeated() {
    let pixels = picture(2, 2, |_, _| [9, 8, 7]);
    let frame = Frame::new(2, 2, &pixels).unwrap();
    let mut out = Vec::new();
    Square { centre: [-50.0, 80.0], side: 300.0, angle: 0.4, mirrored: true, outside: Outside::Edge }
        .draw(&frame, 4, &mut out);
    assert!(out[..16].iter().all(|&v| (v - 9.0).abs() < 1e-3));
    assert!(out[32..].iter().all(|&v| (v - 7.0).abs() < 1e-3));
}

#[test]
fn beyond_the_frame_it_is_black_where_that_is_asked_for() {
    let pixels = picture(4, 4, |_, _| [200; 3]);
    let frame = Frame::new(4, 4, &pixels).unwrap();
    let mut out = Vec::new();
    let square =
        Square { centre: [0.0, 2.0], side: 4.0, angle: 0.0, mirrored: false, outside: Outside::Black };
    square.draw(&frame, 4, &mut out);
    // Samples a quarter of a pixel from the frame's edge take a quarter from the black outside.
    assert_eq!(out[4..8], [0.0, 25.0, 175.0, 200.0]);
    assert_eq!(out[..4], [0.0, 25.0, 175.0, 200.0].map(|value| 0.875 * value));
    // Turned by a full circle it is the same, sample by sample.
    let upright = std::mem::take(&mut out);
    Square { angle: std::f32::consts::TAU, ..square }.draw(&frame, 4, &mut out);
    for (a, b) in upright.iter().zip(&out) {
        assert!((a - b).abs() < 0.01, "{a} is not {b}");
    }
}

proptest! {
    #[test]
    fn letterbox_round_trip(width in 1_u32..400, height in 1_u32..400, x in 0.0_f32..1.0, y in 0.0_f32..1.0) {
        let pixels = vec![0; (width * height * 4) as usize];
        let frame = Frame::new(width, height, &pixels).unwrap();
        let letterbox = Letterbox::new(&frame, 0.8);
        let square = [letterbox.left + x * letterbox.width, letterbox.top + y * letterbox.height];
        let [back_x, back_y] = letterbox.frame_from_square(square);
        prop_assert!((back_x - x).abs() < 1e-3 && (back_y - y).abs() < 1e-3);
    }

    #[test]
    fn no_square_leaves_the_range_of_pixels(
        x in -1e4_f32..1e4, y in -1e4_f32..1e4, side in 0.01_f32..2e4, angle in -7.0_f32..7.0,
    ) {
        let pixels = picture(5, 3, |x, y| [(x * 50) as u8, (y * 100) as u8, 255]);
        let frame = Frame::new(5, 3, &pixels).unwrap();
        let mut out = Vec::new();
        Square { centre: [x, y], side, angle, mirrored: false, outside: Outside::Edge }.draw(&frame, 3, &mut out);
        prop_assert!(out.iter().all(|v| (0.0..=255.1).contains(v)));
    }
}
