//! `cargo xtask bench`: what the relay costs, measured on this machine.

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
}

pub(crate) fn bench(subject: Subject) -> anyhow::Result<ExitCode> {
    let Subject::Relay { options } = subject;
    suite::build(&["mien-load"])?;
    let mut load = workspace::command(workspace::relay().with_file_name("mien-load"));
    process::succeed(load.arg("relay").arg("--program").arg(workspace::relay()).args(options))?;
    Ok(ExitCode::SUCCESS)
}
