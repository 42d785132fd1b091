//! What the analyzer says of the fixtures.

use mien_models::{Analyzer, Detection, Scope};
use serde::{Deserialize, Serialize};

use super::fixtures::{ASTRONAUT, GRACE_HOPPER, WEIGHTS};
use super::picture::Picture;

/// What the analyzer said of one picture.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) faces: Vec<Detection>,
}

/// The whole analyzer over the fixtures, in every way that it can be asked.
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
