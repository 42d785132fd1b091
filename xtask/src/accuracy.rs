//! `cargo xtask accuracy`: how accurate the expressions are on a folder of labelled pictures.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::install::{apt, rust};
use crate::{page, process, workspace};

/// Measures the page's worker instead of the native reading.
const WASM: &str = "--wasm";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// A folder with a folder of pictures for each expression, and what `mien-accuracy --help` says: --attributes CSV,
    /// --cropped, --landmarks, --json FILE, --answers FILE. With --wasm, what is measured is the built page's worker in
    /// headless Chromium, and the command fails if it answers otherwise than the native reading.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "FOLDER|OPTION"
    )]
    options: Vec<OsString>,
}

pub(crate) fn accuracy(Options { mut options }: Options) -> anyhow::Result<ExitCode> {
    let all = options.len();
    options.retain(|option| option != WASM);
    let in_worker = options.len() < all;
    let mut build = workspace::cargo();
    build.args(["build", "--release", "--locked", "--workspace", "--bin", "mien-accuracy"]);
    if in_worker {
        rust::ensure()?;
        apt::ensure_browser()?;
        page::build()?;
        build.args(["--bin", "worker-answers"]);
    }
    // Together with a test, so that features are those of the tests, and nothing is compiled twice.
    process::succeed(build.args(["--test", "accuracy"]))?;
    let mut command = workspace::command(workspace::relay().with_file_name("mien-accuracy"));
    // Paths are relative to the user's current directory.
    if let Ok(here) = std::env::current_dir() {
        command.current_dir(here);
    }
    command.args(options);
    if in_worker {
        command.arg(WASM).arg(workspace::relay().with_file_name("worker-answers")).arg(workspace::dist());
    }
    // It has said what is wrong.
    let status = command.status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
