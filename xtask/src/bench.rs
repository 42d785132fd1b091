//! `cargo xtask bench`: what things cost, measured on this machine.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use crate::install::{apt, rust};
use crate::{page, process, suite, workspace};

#[derive(Subcommand)]
pub(crate) enum Subject {
    /// The relay under load, beside a bare server in the same run.
    Relay {
        /// For the load generator: --quick, --store sqlite|postgres|both, --only SCENARIO, --json FILE.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
    /// A camera's frame in the page's worker, in headless Chromium.
    Frame {
        /// The built page (`dist`) of another checkout, to be measured in turns with this one's.
        #[arg(long, value_name = "FOLDER")]
        against: Option<PathBuf>,
    },
    /// `mien-analyze` over many pictures: one job beside two, and memory over ten thousand.
    Analyze {
        /// For the measurement: --pictures N, --rounds N, --memory N.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
}

pub(crate) fn bench(subject: Subject) -> anyhow::Result<ExitCode> {
    match subject {
        Subject::Relay { options } => {
            suite::build(&["mien-load"])?;
            let mut load = workspace::command(workspace::relay().with_file_name("mien-load"));
            process::succeed(load.arg("relay").arg("--program").arg(workspace::relay()).args(options))?;
        }
        Subject::Frame { against } => {
            rust::ensure()?;
            apt::ensure_browser()?;
            page::build()?;
            let build = ["build", "--release", "--locked", "--workspace", "--bin", "worker-frames"];
            process::succeed(workspace::cargo().args(build).args(["--test", "accuracy"]))?;
            let mut frames = workspace::command(workspace::relay().with_file_name("worker-frames"));
            frames.arg(workspace::dist());
            if let Some(page) = against {
                frames.arg(std::path::absolute(page)?);
            }
            process::succeed(&mut frames)?;
        }
        Subject::Analyze { options } => {
            let mut cargo = workspace::cargo();
            cargo.args(["build", "--release", "--locked", "--workspace"]);
            process::succeed(cargo.args(["--bin", "mien-analyze", "--example", "throughput"]))?;
            let built = |name| workspace::relay().with_file_name(name);
            let mut measurement = workspace::command(built("examples").join("throughput"));
            process::succeed(measurement.arg(built("mien-analyze")).args(options))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
