//! Labelled pictures: a folder for each expression.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use mien_models::picture::{Kind, promised};
use mien_shared::Expression;

/// A picture and the expression that its folder is named after.
#[derive(Debug)]
pub(crate) struct Labelled {
    /// The path below the given folder, with `/` as separator.
    pub(crate) name: String,
    pub(crate) expected: Expression,
}

impl Labelled {
    /// Without its folder.
    pub(crate) fn file(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// Without folder and extension.
    pub(crate) fn stem(&self) -> &str {
        self.file().rsplit_once('.').map_or(self.file(), |(stem, _)| stem)
    }
}

/// Other names that collections use for the expressions.
const SYNONYMS: [(&str, Expression); 27] = [
    ("no expression", Expression::Neutral),
    ("none", Expression::Neutral),
    ("normal", Expression::Neutral),
    ("ne", Expression::Neutral),
    ("happy", Expression::Happiness),
    ("joy", Expression::Happiness),
    ("smile", Expression::Happiness),
    ("smiling", Expression::Happiness),
    ("ha", Expression::Happiness),
    ("sad", Expression::Sadness),
    ("sorrow", Expression::Sadness),
    ("sa", Expression::Sadness),
    ("angry", Expression::Anger),
    ("rage", Expression::Anger),
    ("an", Expression::Anger),
    ("afraid", Expression::Fear),
    ("fearful", Expression::Fear),
    ("scared", Expression::Fear),
    ("fe", Expression::Fear),
    ("af", Expression::Fear),
    ("disgusted", Expression::Disgust),
    ("di", Expression::Disgust),
    ("surprised", Expression::Surprise),
    ("surprize", Expression::Surprise),
    ("astonished", Expression::Surprise),
    ("su", Expression::Surprise),
    ("sp", Expression::Surprise),
];

/// The expression that a folder is named after, in any case, with or without a leading number (`4_happy`).
pub(crate) fn expression(name: &str) -> Option<Expression> {
    let name = name.to_lowercase().replace(['_', '-'], " ");
    let name =
        name.trim_matches(|letter: char| letter.is_ascii_digit() || letter.is_whitespace() || letter == '.');
    Expression::ALL
        .into_iter()
        .find(|expression| expression.name() == name)
        .or_else(|| SYNONYMS.iter().find(|(synonym, _)| *synonym == name).map(|(_, expression)| *expression))
}

/// All pictures in all folders named after an expression, sorted by name.
pub(crate) fn labelled(folder: &Path) -> anyhow::Result<Vec<Labelled>> {
    let mut pictures = Vec::new();
    for (name, path) in entries(folder)? {
        if let Some(expected) = path.is_dir().then(|| expression(&name)).flatten() {
            below(&path, &name, expected, &mut pictures)?;
        }
    }
    Ok(pictures)
}

fn below(
    folder: &Path,
    name: &str,
    expected: Expression,
    pictures: &mut Vec<Labelled>,
) -> anyhow::Result<()> {
    for (entry, path) in entries(folder)? {
        let name = format!("{name}/{entry}");
        if path.is_dir() {
            below(&path, &name, expected, pictures)?;
        } else if promised(&path).is_some() || Kind::of_file(&path).is_ok_and(Kind::is_certain) {
            pictures.push(Labelled { name, expected });
        }
    }
    Ok(())
}

/// Name and path of the entries of a folder, without hidden ones, sorted by name.
fn entries(folder: &Path) -> anyhow::Result<Vec<(String, std::path::PathBuf)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_called_as_we_or_others_call_the_expressions() {
        for (name, expected) in [
            ("happiness", Some(Expression::Happiness)),
            ("Happy", Some(Expression::Happiness)),
            ("6_angry", Some(Expression::Anger)),
            ("NO-EXPRESSION", Some(Expression::Neutral)),
            ("surprised", Some(Expression::Surprise)),
            ("contempt", None),
            ("raw", None),
        ] {
            assert_eq!(expression(name), expected, "{name}");
        }
    }

    #[test]
    fn a_picture_is_known_by_its_file_and_its_stem() {
        let picture = Labelled { name: "happy/set a/001.x.jpg".to_owned(), expected: Expression::Happiness };
        assert_eq!((picture.file(), picture.stem()), ("001.x.jpg", "001.x"));
    }
}
