//! `cargo xtask accuracy`: how accurate the expressions are on a folder of labelled pictures.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::{process, workspace};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// A folder with a folder of pictures for each expression, and what `mien-accuracy --help` says: --attributes CSV,
    /// --cropped, --landmarks, --json FILE, --answers FILE.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "FOLDER|OPTION"
    )]
    options: Vec<OsString>,
}

pub(crate) fn accuracy(Options { options }: Options) -> anyhow::Result<ExitCode> {
    // Together with a test, so that features are those of the tests, and nothing is compiled twice.
    let build =
        ["build", "--release", "--locked", "--workspace", "--bin", "mien-accuracy", "--test", "accuracy"];
    process::succeed(workspace::cargo().args(build))?;
    let mut command = workspace::command(workspace::relay().with_file_name("mien-accuracy"));
    // Paths are relative to the user's current directory.
    if let Ok(here) = std::env::current_dir() {
        command.current_dir(here);
    }
    process::succeed(command.args(options))?;
    Ok(ExitCode::SUCCESS)
}
