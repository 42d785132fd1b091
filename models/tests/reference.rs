//! tract compared with onnxruntime on the same tensors, and the files with the manifest.
//! `reference/make_reference.py` wrote the stored outputs.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{ASTRONAUT, EXPRESSION, FAR, GRACE_HOPPER, NEAR, Picture};
use mien_models::landmarks::subset;
use mien_models::weights::LANDMARKS;
use mien_models::{MODELS, ModelId, analyzer::verify};
use serde::Deserialize;
use tract_onnx::prelude::*;

/// How far two engines that add up in a different order may differ, absolute up to 1 and relative beyond: boxes are in
/// pixels, up to some hundreds. The measured absolute differences are 1e-6 for probabilities, 1e-3 for boxes.
const TOLERANCE: f32 = 1e-3;

#[derive(Deserialize)]
struct Reference {
    astronaut: Outputs,
    grace_hopper: Outputs,
}

#[derive(Deserialize)]
struct Outputs {
    near: Detector,
    far: Detector,
    landmarks: Mesh,
    expression: Crop,
}

#[derive(Deserialize)]
struct Mesh {
    left: usize,
    top: usize,
    /// Each pixel of this part is repeated until it fills the input.
    side: usize,
    /// Every tenth number of the points.
    points: Vec<f32>,
    presence: Vec<f32>,
    blendshapes: Vec<f32>,
}

#[derive(Deserialize)]
struct Detector {
    logits: Vec<f32>,
    /// By anchor index: only the strongest.
    boxes: BTreeMap<usize, Vec<f32>>,
}

#[derive(Deserialize)]
struct Crop {
    left: usize,
    top: usize,
    probabilities: Vec<f32>,
}

fn run(bytes: &[u8], shape: &[usize], input: &[f32]) -> Vec<Vec<f32>> {
    let tensor = Tensor::from_shape(shape, input).expect("a tensor");
    let model = tract_onnx::onnx().model_for_read(&mut &*bytes).expect("a network");
    // The batch dimension is open in some files.
    let model = model.with_input_fact(0, f32::fact(shape).into()).expect("the input");
    let plan = model.into_optimized().expect("optimised").into_runnable().expect("a plan");
    let outputs = plan.run(tvec!(tensor.into())).expect("outputs");
    outputs
        .iter()
        .map(|output| output.to_plain_array_view::<f32>().expect("numbers").iter().copied().collect())
        .collect()
}

fn largest_difference(got: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f32::max)
}

#[test]
fn tract_equals_onnxruntime() {
    let text = include_str!("data/onnxruntime.json");
    let reference: Reference = serde_json::from_str(text).expect("the stored outputs");
    check("astronaut", ASTRONAUT, &reference.astronaut);
    check("grace_hopper", GRACE_HOPPER, &reference.grace_hopper);
}

fn check(name: &str, png: &[u8], expected: &Outputs) {
    let picture = Picture::read(png);
    let rgb = |x: usize, y: usize| {
        let at = (y * 256 + x) * 4;
        picture.rgba[at..at + 3].iter().map(|&byte| f32::from(byte))
    };
    let square = |step: usize| -> Vec<f32> {
        let places = (0..256).step_by(step);
        let pixels = places.clone().flat_map(|y| places.clone().map(move |x| (x, y)));
        pixels.flat_map(|(x, y)| rgb(x, y)).map(|value| value / 127.5 - 1.0).collect()
    };

    let near = run(NEAR, &[1, 128, 128, 3], &square(2));
    let [near_boxes, near_logits] = &near[..] else { panic!("two outputs") };
    check_detector(&format!("{name} near"), near_logits, near_boxes, &expected.near);

    let far = run(FAR, &[1, 256, 256, 3], &square(1));
    let [fine_logits, fine, coarse, coarse_logits] = &far[..] else { panic!("four outputs") };
    let logits = [&fine_logits[..], coarse_logits].concat();
    check_detector(&format!("{name} far"), &logits, &[&fine[..], coarse].concat(), &expected.far);

    let Mesh { left, top, side, .. } = expected.landmarks;
    let places = (0..256).flat_map(|y| (0..256).map(move |x| (left + x * side / 256, top + y * side / 256)));
    let unit: Vec<f32> = places.flat_map(|(x, y)| rgb(x, y)).map(|value| value / 255.0).collect();
    let mesh = run(LANDMARKS.landmarks, &[1, 256, 256, 3], &unit);
    let every: Vec<f32> = mesh[0].iter().step_by(10).copied().collect();
    let blendshapes = run(LANDMARKS.blendshapes, &[1, 146, 2], &subset(&mesh[0]));
    let expected_mesh = &expected.landmarks;
    for (what, got, expected) in [
        ("points", &every, &expected_mesh.points),
        ("presence", &mesh[1], &expected_mesh.presence),
        ("blendshapes", &blendshapes[0], &expected_mesh.blendshapes),
    ] {
        let differs = largest_difference(got, expected);
        println!("{name} {what}: {differs:e}");
        assert!(differs <= TOLERANCE, "{name} {what} differ by {differs}");
    }

    let Crop { left, top, probabilities } = &expected.expression;
    let planes: Vec<f32> = (0..3)
        .flat_map(|c| (0..112 * 112).map(move |at| (c, at % 112, at / 112)))
        .filter_map(|(c, x, y)| rgb(left + x, top + y).nth(c))
        .collect();
    let outputs = run(EXPRESSION, &[1, 3, 112, 112], &planes);
    let differs = largest_difference(&outputs[0], probabilities);
    println!("{name} expression: {differs:e}");
    assert!(differs <= TOLERANCE);
}

fn check_detector(name: &str, logits: &[f32], boxes: &[f32], expected: &Detector) {
    let mut differs = largest_difference(logits, &expected.logits);
    for (anchor, numbers) in &expected.boxes {
        differs = differs.max(largest_difference(&boxes[anchor * 16..anchor * 16 + 16], numbers));
    }
    println!("{name}: {differs:e}");
    assert!(differs <= TOLERANCE, "{name} differs by {differs}");
}

#[test]
fn every_file_is_the_one_in_the_manifest() {
    let weights =
        Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs this")).join("weights");
    assert_eq!(MODELS.map(|model| model.id), ModelId::ALL);
    for model in MODELS {
        let bytes = std::fs::read(weights.join(model.file)).expect(model.file);
        verify(model.id, &bytes).expect(model.file);
    }
    let manifest = std::fs::read_to_string(weights.join("manifest.toml")).expect("the manifest");
    for line in manifest.lines().filter_map(|line| line.strip_prefix("licence_file = ")) {
        let licence = weights.join(line.trim_matches('"'));
        assert!(licence.metadata().expect(line).len() > 500, "{}", licence.display());
    }
}
