//! What the tests run: the page, the relay that carries it, and the programs around them.

use std::fs;

use crate::{page, process, workspace};

/// One selection of packages for everything that runs natively: their features are unified over all of them, so a
/// dependency is compiled once, whichever subset a step builds.
pub(super) const EVERYTHING: [&str; 3] = ["--release", "--locked", "--workspace"];

/// The tests of relay processes, which a plain `cargo test` does not run.
pub(super) const SURVIVAL: &str = "survival";

/// Builds the page, the relay and these programs as the tests do: what the tests have built is not built again.
pub(crate) fn build(programs: &[&str]) -> anyhow::Result<()> {
    page::build()?;
    let mut command = workspace::cargo();
    command.arg("build").args(EVERYTHING);
    for program in ["mien-relay", "mien-analyze"].iter().chain(programs) {
        command.args(["--bin", program]);
    }
    // Includes the tests, so that features are those of the tests, too.
    for name in end_to_end()? {
        command.args(["--test", &name]);
    }
    process::succeed(command.args(["--test", SURVIVAL]))
}

/// The end-to-end tests, which a plain `cargo test` does not run either.
pub(super) fn end_to_end() -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace::root().join(workspace::END_TO_END))? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "rs") {
            names.extend(file.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}
