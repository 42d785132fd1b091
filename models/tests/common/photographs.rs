//! Photographs of one face each, with the correct square for it, placed in frames so that the face takes up a given
//! share of them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use mien_models::expression::views;
use mien_models::image::Square;
use mien_models::{Analyzer, Detector, Frame, Scope, blazeface::Candidate};
use mien_shared::Expression;

use super::picture::Picture;

pub(crate) struct Photograph {
    pub(crate) name: String,
    /// The expression that the folder is named after.
    pub(crate) label: Option<Expression>,
    pub(crate) picture: Picture,
    /// Middle and side in pixels.
    pub(crate) square: [f32; 3],
}

/// The Face Research Lab London Set, if it lies beside the checkout or `MIEN_LONDON` names it; we may not commit it.
pub(crate) fn london() -> Option<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs this");
    let beside = Path::new(&manifest).join("../../shared/eval/london");
    let folder = std::env::var_os("MIEN_LONDON").map_or(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("left out: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Who looks for the face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looks {
    With(Detector),
    In(Scope),
}

/// A square compared with the correct one: ratio of the sides, and the distance between the middles in sides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Differs {
    pub(crate) side: f32,
    pub(crate) across: f32,
    pub(crate) down: f32,
}

/// The photographs of a folder with one folder per expression. The squares are those of its `reference.csv`, or of what
/// the near detector sees in the original photograph; if it sees nobody, the photograph is left out.
pub(crate) fn read(folder: &Path, analyzer: &mut Analyzer) -> std::io::Result<Vec<Photograph>> {
    let reference =
        fs::read_to_string(folder.join("reference.csv")).map(|text| squares(&text)).unwrap_or_default();
    let mut photographs = Vec::new();
    for expression in Expression::ALL {
        let Ok(entries) = fs::read_dir(folder.join(expression.name())) else { continue };
        let mut files: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        files.sort();
        for file in files {
            let picture = Picture::read(&fs::read(&file)?);
            let name =
                format!("{}/{}", expression.name(), file.file_name().unwrap_or_default().to_string_lossy());
            let square = reference.get(&name).copied().or_else(|| near(analyzer, &picture));
            photographs.extend(square.map(|square| Photograph {
                name,
                label: Some(expression),
                picture,
                square,
            }));
        }
    }
    Ok(photographs)
}

/// By file name.
fn squares(csv: &str) -> HashMap<String, [f32; 3]> {
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap_or_default();
    let columns = ["file", "square_cx", "square_cy", "square_side"]
        .map(|name| header.iter().position(|column| *column == name));
    let [Some(file), Some(x), Some(y), Some(side)] = columns else { return HashMap::new() };
    lines
        .filter_map(|row| {
            let number = |column: usize| row.get(column)?.parse().ok();
            Some(((*row.get(file)?).to_owned(), [number(x)?, number(y)?, number(side)?]))
        })
        .collect()
}

/// The square of the largest face that the near detector sees.
pub(crate) fn near(analyzer: &mut Analyzer, picture: &Picture) -> Option<[f32; 3]> {
    let square = Looks::With(Detector::Near).square(analyzer, &picture.frame())?;
    Some([square.centre[0], square.centre[1], square.side])
}

impl Photograph {
    /// A square frame, with the face's square in its middle taking up this share of it; grey outside the photograph.
    pub(crate) fn placed(&self, share: f32) -> (Picture, [f32; 3]) {
        let [x, y, square] = self.square;
        let side = (square / share).round() as i64;
        let (left, top) = ((x - side as f32 / 2.0).round() as i64, (y - side as f32 / 2.0).round() as i64);
        let within = |place: i64, length: u32| usize::try_from(place).ok().filter(|at| *at < length as usize);
        let mut rgba = Vec::with_capacity((side * side * 4) as usize);
        for down in top..top + side {
            for across in left..left + side {
                let place = within(across, self.picture.width).zip(within(down, self.picture.height));
                let pixel = place.map(|(x, y)| (y * self.picture.width as usize + x) * 4);
                match pixel {
                    Some(at) => rgba.extend_from_slice(&self.picture.rgba[at..at + 4]),
                    None => rgba.extend_from_slice(&[120, 120, 120, 255]),
                }
            }
        }
        let picture = Picture { width: side as u32, height: side as u32, rgba };
        (picture, [x - left as f32, y - top as f32, square])
    }
}

impl Looks {
    fn faces(self, analyzer: &mut Analyzer, frame: &Frame<'_>) -> Vec<Candidate> {
        match self {
            Self::With(detector) => analyzer.detect_with(detector, frame),
            Self::In(scope) => analyzer.detect(frame, scope),
        }
        .expect("an answer")
    }

    /// Where the expression of the largest face is read.
    pub(crate) fn square(self, analyzer: &mut Analyzer, frame: &Frame<'_>) -> Option<Square> {
        let faces = self.faces(analyzer, frame);
        let area = |face: &Candidate| face.bounds.width * face.bounds.height;
        let face = faces.iter().max_by(|a, b| area(a).total_cmp(&area(b)))?;
        Some(views(frame, face)[0])
    }

    pub(crate) fn differs(
        self,
        analyzer: &mut Analyzer,
        picture: &Picture,
        right: [f32; 3],
    ) -> Option<Differs> {
        let square = self.square(analyzer, &picture.frame())?;
        Some(Differs {
            side: square.side / right[2],
            across: (square.centre[0] - right[0]) / right[2],
            down: (square.centre[1] - right[1]) / right[2],
        })
    }
}

/// The median of each number separately.
pub(crate) fn median(all: &[Differs]) -> Differs {
    let middle = |number: fn(&Differs) -> f32| {
        let mut numbers: Vec<f32> = all.iter().map(number).collect();
        numbers.sort_by(f32::total_cmp);
        numbers[numbers.len() / 2]
    };
    Differs { side: middle(|d| d.side), across: middle(|d| d.across), down: middle(|d| d.down) }
}
