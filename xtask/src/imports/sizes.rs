//! How long files are. Long files are listed for a look, as two subjects belong in two files; length never fails the
//! check.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::workspace;

/// Files above it are listed.
const LONG: usize = 350;

/// `files` are all files of the checkout, `code` those that are compiled not only for tests.
pub(super) fn show(files: &[String], code: &[String]) -> anyhow::Result<()> {
    let mut of_code = Vec::new();
    let mut of_tests = Vec::new();
    for file in files.iter().filter(|file| Path::new(file).extension().is_some_and(|found| found == "rs")) {
        let text = fs::read_to_string(workspace::root().join(file))
            .with_context(|| format!("could not read {file}"))?;
        let is_code = code.contains(file) && !file.split('/').any(|folder| folder == "tests");
        let kind = if is_code { &mut of_code } else { &mut of_tests };
        kind.push((text.lines().count(), file.as_str()));
    }
    println!("{}{}", described("code", of_code), described("tests", of_tests));
    Ok(())
}

fn described(kind: &str, mut files: Vec<(usize, &str)>) -> String {
    files.sort_unstable_by(|one, other| other.cmp(one));
    let Some(&(largest, _)) = files.first() else { return String::new() };
    let long = files.iter().take_while(|(lines, _)| *lines > LONG).count();
    let mut text = format!(
        "{kind}: {} files, the largest of {largest} lines, the median of {}; {long} over {LONG}\n",
        files.len(),
        files[files.len() / 2].0,
    );
    for (lines, file) in &files[..long] {
        let _ = writeln!(text, "  {lines:>5}  {file}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_listed_from_the_longest() {
        let text =
            described("code", vec![(10, "a.rs"), (351, "b.rs"), (350, "c.rs"), (900, "d.rs"), (1, "e.rs")]);
        let expected = "code: 5 files, the largest of 900 lines, the median of 350; 2 over 350\n    900  d.rs\n    351  b.rs\n";
        assert_eq!(text, expected);
        assert_eq!(described("tests", vec![]), "");
    }
}
