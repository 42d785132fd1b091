//! `cargo xtask bench`: what things cost, measured on this machine.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Subcommand;

use crate::{process, suite, workspace};

#[derive(Subcommand)]
pub(crate) enum Subject {
    /// The relay under load, beside a bare server in the same run.
    Relay {
        /// For the load generator: --quick, --store sqlite|postgres|both, --only SCENARIO, --json FILE.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
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
