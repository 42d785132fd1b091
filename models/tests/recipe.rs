//! The recipe compared with its reference on photographs that may lie beside the checkout; we may not commit them.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use common::photographs::london;
use common::{EXPRESSION, Picture, WEIGHTS};
use mien_models::expression::{CROP_SIDE, Evidence, Mouth, views};
use mien_models::{Analyzer, Scope, weights};
use mien_shared::{Expression, Scores};
use tract_onnx::prelude::*;

/// The reference's values for one photograph, by column.
type Row = HashMap<String, f32>;

fn reference(folder: &Path) -> Vec<(String, Row)> {
    let mut table = csv::Reader::from_path(folder.join("reference.csv")).expect("a table");
    let columns: Vec<String> = table.headers().expect("columns").iter().map(str::to_owned).collect();
    let rows = table.records().map(|row| {
        let row = row.expect("a row");
        let numbers = columns.iter().zip(&row).skip(1);
        (row[0].to_owned(), numbers.map(|(name, cell)| (name.clone(), cell.parse().expect(cell))).collect())
    });
    rows.collect()
}

/// The likeliest expression according to the reference, given these two probabilities.
fn label(row: &Row, with: &str) -> Expression {
    let u = Expression::ALL.map(|expression| row[&format!("u_{expression}")]);
    let sum: f32 = u.iter().map(|u| u.exp()).sum();
    let mut scores = Scores(u.map(|u| u.exp() / sum));
    scores.0[0] = row[&format!("{with}_neutral")];
    scores.0[1] = row[&format!("{with}_happiness")];
    scores.top().0
}

/// For every photograph, the evidence is close to the reference's, and the label is the same.
#[test]
fn evidence_and_labels_are_the_reference_s() {
    let Some(folder) = london() else { return };
    let rows = reference(&folder);
    let mut analyzer = Analyzer::new_verified(&WEIGHTS).expect("the weights");
    let mut with_landmarks = Analyzer::new_verified(&WEIGHTS).expect("the weights");
    with_landmarks.add_landmarks_verified(&weights::LANDMARKS).expect("the weights");
    let network = tract_onnx::onnx().model_for_read(&mut &*EXPRESSION).expect("a network");
    let network = network.into_optimized().expect("optimised").into_runnable().expect("a plan");
    let probabilities = |crop: &[f32]| -> [f32; Expression::COUNT] {
        let tensor = Tensor::from_shape(&[1, 3, CROP_SIDE, CROP_SIDE], crop).expect("a tensor");
        let outputs = network.run(tvec!(tensor.into())).expect("outputs");
        let numbers: Vec<f32> =
            outputs[0].to_plain_array_view::<f32>().expect("numbers").iter().copied().collect();
        numbers.try_into().expect("seven")
    };
    let (mut near, mut same, mut same_with) = (0, 0, 0);
    for (name, row) in &rows {
        let picture = Picture::read(&fs::read(folder.join(name)).expect(name));
        let frame = picture.frame();
        let faces = analyzer.detect(&frame, Scope::Full).expect("faces");
        let face = faces.first().expect("a face");
        let views = views(&frame, face);
        let read = views.map(|view| {
            let mut crop = Vec::new();
            view.draw(&frame, CROP_SIDE, &mut crop);
            probabilities(&crop)
        });
        let evidence = Evidence::of(&read).expect("numbers");
        let differs = Expression::ALL
            .map(|expression| (evidence.0[expression.index()] - row[&format!("u_{expression}")]).abs())
            .into_iter()
            .fold(0.0, f32::max);
        near += usize::from(differs <= 0.15);
        same += usize::from(evidence.scores(Mouth::Unasked).top().0 == label(row, "plain"));
        let seen = with_landmarks.analyze(&frame, Scope::Full, 1).expect("an answer");
        same_with += usize::from(seen.faces[0].scores.top().0 == label(row, "landmarks"));
    }
    let share = |count: usize| count as f32 / rows.len() as f32;
    println!("near {:.3}, labels {:.3}, with landmarks {:.3}", share(near), share(same), share(same_with));
    assert!(share(near) >= 0.9, "the evidence is near that of the reference in {:.3}", share(near));
    assert!(share(same) >= 0.97 && share(same_with) >= 0.97, "{:.3}, {:.3}", share(same), share(same_with));
}
