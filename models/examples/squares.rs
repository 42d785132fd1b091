//! Where the expression is read, and how accurately, by the share of the picture that the face takes up:
//! `cargo run --release -p mien-models --example squares -- FOLDER`
//!
//! FOLDER has a folder of single-face photographs for each expression, and may have a `reference.csv` with the correct
//! squares (`file`, `square_cx`, `square_cy`, `square_side`, in pixels). For each detector and each scope, prints the
//! median side and middle relative to those, and the share of correct answers. Asserts nothing.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::photographs::{Looks, Photograph, median, read};
use common::{Picture, WEIGHTS};
use mien_models::{Analyzer, Detector, Scope};

const LOOKS: [(&str, Looks); 4] = [
    ("near detector", Looks::With(Detector::Near)),
    ("far detector", Looks::With(Detector::Far)),
    ("Near", Looks::In(Scope::Near)),
    ("Full", Looks::In(Scope::Full)),
];
const SHARES: [f32; 10] = [0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder with a folder for each expression")?;
    let mut analyzer = Analyzer::new_verified(&WEIGHTS)?;
    let photographs = read(Path::new(&folder), &mut analyzer)?;
    println!(
        "{} photographs\nshare  who            found  side   deviation  across  down   right",
        photographs.len()
    );
    table("as is", &mut analyzer, &photographs, None);
    for share in SHARES {
        table(&format!("{share:5.2}"), &mut analyzer, &photographs, Some(share));
    }
    Ok(())
}

fn table(title: &str, analyzer: &mut Analyzer, photographs: &[Photograph], share: Option<f32>) {
    let placed: Vec<(Picture, [f32; 3])> = photographs
        .iter()
        .map(|photograph| match share {
            Some(share) => photograph.placed(share),
            None => (photograph.picture.clone(), photograph.square),
        })
        .collect();
    for (name, looks) in LOOKS {
        let differs: Vec<_> =
            placed.iter().filter_map(|(picture, right)| looks.differs(analyzer, picture, *right)).collect();
        if differs.is_empty() {
            continue;
        }
        let mut sides: Vec<f32> = differs.iter().map(|differs| differs.side).collect();
        sides.sort_by(f32::total_cmp);
        // The standard deviation of a normal distribution with these quartiles.
        let deviation = (sides[sides.len() * 3 / 4] - sides[sides.len() / 4]) / 1.35;
        let middle = median(&differs);
        let right = match looks {
            Looks::In(scope) => right(analyzer, photographs, &placed, scope),
            Looks::With(_) => String::new(),
        };
        println!(
            "{title}  {name:13}  {:5}  {:5.3}  {deviation:9.3}  {:+.3}  {:+.3}  {right}",
            differs.len(),
            middle.side,
            middle.across,
            middle.down,
        );
    }
}

/// The share of photographs whose likeliest expression is the one that their folder is named after.
fn right(
    analyzer: &mut Analyzer,
    photographs: &[Photograph],
    placed: &[(Picture, [f32; 3])],
    scope: Scope,
) -> String {
    let is_right = |(photograph, (picture, _)): &(&Photograph, &(Picture, [f32; 3]))| {
        let seen = analyzer.analyze(&picture.frame(), scope, 1).expect("an answer");
        seen.faces.first().map(|face| face.scores.top().0) == photograph.label
    };
    let right = photographs.iter().zip(placed).filter(is_right).count();
    format!("{:.3}", right as f32 / photographs.len() as f32)
}
