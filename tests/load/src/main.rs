//! What a message costs the relay: real sockets over loopback, real stores, and a baseline server, the floor, in the
//! same run.
//!
//! Owns the load, the floor server and the arithmetic. Figures from one machine at one time mean little; so each
//! scenario alternates between the relay and a bare server that only parses and acks, and the ratio counts. At the end
//! the store is checked for every acked sample: a run that loses one is void.

mod cpu;
mod fleet;
mod floor;
mod frame;
mod latency;
mod message;
mod raw;
mod report;
mod scenarios;
mod server;
mod source;
mod watcher;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::scenarios::{Plan, Scenario, Stores};

#[derive(Debug, Parser)]
#[command(
    name = "mien-load",
    version,
    about = "Measures what a message costs the relay",
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure a relay
    Relay {
        /// The relay's program
        #[arg(long)]
        program: PathBuf,
        #[command(flatten)]
        options: Options,
    },
    /// Serve the floor: parse, ack, pass on, nothing else
    Floor,
}

#[derive(Debug, clap::Args)]
struct Options {
    /// Short phases: figures in two minutes, less steady
    #[arg(long)]
    quick: bool,
    /// Which stores
    #[arg(long, value_enum, default_value_t = Stores::Both)]
    store: Stores,
    /// Only these scenarios; may be given more than once
    #[arg(long, value_enum)]
    only: Vec<Scenario>,
    /// Compare with an older build of the relay instead of the floor: this program, in turns with the other
    #[arg(long, value_name = "PROGRAM")]
    against: Option<PathBuf>,
    /// Also write the figures to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Floor => floor::serve(),
        Command::Relay { program, options } => measure(program, &options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("mien-load: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(program: PathBuf, options: &Options) -> anyhow::Result<()> {
    server::raise_file_limit();
    // Servers are started in folders of their own.
    let program = std::path::absolute(program).context("the relay's program has no path")?;
    let plan = Plan::new(program, options.quick, options.store);
    match &options.against {
        Some(old) => {
            let old = std::path::absolute(old).context("the older relay's program has no path")?;
            tell(&scenarios::compare(&plan, &old, &options.only)?, options)
        }
        None => tell(&scenarios::run(&plan, &options.only)?, options),
    }
}

fn tell<T: std::fmt::Display + serde::Serialize>(figures: &T, options: &Options) -> anyhow::Result<()> {
    print!("{figures}");
    if let Some(file) = &options.json {
        report::write_json(figures, file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        <super::Cli as clap::CommandFactory>::command().debug_assert();
    }
}
