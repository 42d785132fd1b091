//! How the answers hold up as a picture gets worse: `cargo run --release -p mien-models --example degraded -- [FOLDER]`
//!
//! FOLDER has a folder of single-face photographs for each expression; without it both portraits of `tests/fixtures` are
//! taken. Each photograph is made smaller, blurred, noisy, darker, brighter, flatter, turned, and cut at each side.
//! Prints what is labelled and how much of that is right, by kind, and coverage and accuracy over the quality: that is
//! how `JUDGED_FROM` was chosen. `--every N` takes each Nth photograph, `--csv` prints a row per picture. Asserts
//! nothing.

#[path = "../../tests/common/mod.rs"]
mod common;
mod worse;

use std::path::PathBuf;

use common::photographs::{Photograph, near, read};
use common::{ASTRONAUT, GRACE_HOPPER, Picture, WEIGHTS};
use mien_models::{ABSTAIN_BELOW, Analyzer, Detection, JUDGED_FROM, Scope};
use mien_shared::Expression;
use worse::{Kind, worse};

/// Parts of the range of quality.
const QUALITIES: [f32; 9] = [0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.01];

/// What was read of one picture.
struct Row {
    name: String,
    expected: Option<Expression>,
    kind: Kind,
    level: f32,
    /// `None` if no face was found.
    face: Option<Detection>,
}

impl Row {
    fn quality(&self) -> Option<f32> {
        self.face.as_ref().map(|face| face.quality)
    }

    /// What would be reported if quality did not matter.
    fn sure(&self) -> Option<Expression> {
        let (likeliest, confidence) = self.face.as_ref()?.scores.top();
        (confidence >= ABSTAIN_BELOW).then_some(likeliest)
    }

    fn label(&self) -> Option<Expression> {
        self.face.as_ref()?.expression
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut folder = None;
    let (mut every, mut as_csv) = (1, false);
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--csv") => as_csv = true,
            Some("--every") => {
                let number = arguments.next().and_then(|number| number.into_string().ok());
                every = number.ok_or("--every takes a number")?.parse()?;
            }
            _ => folder = Some(PathBuf::from(argument)),
        }
    }
    let mut analyzer = Analyzer::new_verified(&WEIGHTS)?;
    let photographs = match &folder {
        Some(folder) => read(folder, &mut analyzer)?,
        None => fixtures(&mut analyzer),
    };
    let mut rows = Vec::new();
    for photograph in photographs.iter().step_by(every) {
        for (kind, level, picture) in worse(photograph) {
            let mut faces = analyzer.analyze(&picture.frame(), Scope::Full, 1)?.faces;
            let (name, expected) = (photograph.name.clone(), photograph.label);
            rows.push(Row { name, expected, kind, level, face: faces.pop() });
        }
    }
    if as_csv {
        csv(&rows);
    } else {
        tables(&rows);
    }
    Ok(())
}

fn fixtures(analyzer: &mut Analyzer) -> Vec<Photograph> {
    let portraits = [
        ("astronaut", ASTRONAUT, Expression::Happiness),
        ("grace_hopper", GRACE_HOPPER, Expression::Neutral),
    ];
    let photograph = |(name, file, label): (&str, &[u8], Expression)| {
        let picture = Picture::read(file);
        let square = near(analyzer, &picture)?;
        Some(Photograph { name: name.to_owned(), label: Some(label), picture, square })
    };
    portraits.into_iter().filter_map(photograph).collect()
}

fn csv(rows: &[Row]) {
    println!("file,expected,kind,level,score,label,confidence,likeliest,quality,doubts");
    for Row { name, expected, kind, level, face } in rows {
        print!("{name},{},{kind},{level}", expected.map_or("", Expression::name));
        let Some(face) = face else {
            println!(",,,,,,");
            continue;
        };
        let (likeliest, confidence) = face.scores.top();
        println!(
            ",{:.3},{},{confidence:.3},{likeliest},{:.3},{}",
            face.score,
            face.expression.map_or("", Expression::name),
            face.quality,
            face.doubts.iter().map(|doubt| format!("{doubt:?}")).collect::<Vec<_>>().join(" "),
        );
    }
}

fn tables(rows: &[Row]) {
    println!("kind       level  pictures  found  quality  labelled  right  right if quality did not matter");
    let mut levels: Vec<(Kind, f32)> = Vec::new();
    for row in rows {
        if !levels.contains(&(row.kind, row.level)) {
            levels.push((row.kind, row.level));
        }
    }
    for (kind, level) in levels {
        let of: Vec<&Row> = rows.iter().filter(|row| (row.kind, row.level) == (kind, level)).collect();
        let mut qualities: Vec<f32> = of.iter().filter_map(|row| row.quality()).collect();
        qualities.sort_by(f32::total_cmp);
        println!(
            "{kind:<9}  {level:<5}  {:<8}  {:<5.2}  {:<7.2}  {:<8.2}  {:<5}  {}",
            of.len(),
            qualities.len() as f32 / of.len() as f32,
            qualities.get(qualities.len() / 2).copied().unwrap_or_default(),
            share(&of, |row| row.label().is_some()),
            right(&of, Row::label),
            right(&of, Row::sure),
        );
    }
    println!("\nquality     answers  sure  right (one in seven is chance)");
    for pair in QUALITIES.windows(2) {
        let within = |row: &&Row| row.quality().is_some_and(|quality| (pair[0]..pair[1]).contains(&quality));
        let of: Vec<&Row> = rows.iter().filter(within).collect();
        let sure = of.iter().filter(|row| row.sure().is_some()).count();
        println!(
            "{:.2}–{:.2}   {:<7}  {sure:<4}  {}",
            pair[0],
            pair[1].min(1.0),
            of.len(),
            right(&of, Row::sure)
        );
    }
    println!("\nlabelled from quality  coverage  right (today's line is {JUDGED_FROM})");
    let all: Vec<&Row> = rows.iter().collect();
    for from in QUALITIES.into_iter().filter(|from| *from <= 1.0) {
        let label = |row: &Row| row.sure().filter(|_| row.quality().is_some_and(|quality| quality >= from));
        println!("{from:<21.2}  {:<8.3}  {}", share(&all, |row| label(row).is_some()), right(&all, label));
    }
}

fn share(rows: &[&Row], is: impl Fn(&Row) -> bool) -> f32 {
    rows.iter().filter(|row| is(row)).count() as f32 / rows.len().max(1) as f32
}

/// The share of right labels among all labels.
fn right(rows: &[&Row], label: impl Fn(&Row) -> Option<Expression>) -> String {
    let given: Vec<bool> = rows.iter().filter_map(|row| Some(Some(label(row)?) == row.expected)).collect();
    if given.is_empty() {
        return "–".to_owned();
    }
    format!("{:.2}", given.iter().filter(|right| **right).count() as f32 / given.len() as f32)
}
