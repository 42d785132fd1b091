//! One entry point for every job: set up, run, develop, test, package.
//!
//! Owns the order of steps and the versions of the tools. Must hold nothing that a plain `cargo build` needs: someone
//! who only builds the relay never comes here.

mod accuracy;
mod bench;
mod dev;
mod documents;
mod files;
mod fuzz;
mod image;
mod imports;
mod install;
mod page;
mod process;
mod progress;
mod relay;
mod run;
mod sdk;
mod size;
mod suite;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Mien's jobs. Start with `cargo xtask run`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Build what is missing and serve page and relay at one address.
    Run(run::Options),
    /// Serve the page with live reload, and a relay that restarts when its sources change.
    Dev,
    /// Run every test there is and end with a summary.
    Test(suite::Options),
    /// Measure what a message to the relay costs, or pictures on the command line.
    #[command(subcommand)]
    Bench(bench::Subject),
    /// Measure how right the expressions are over a folder of labelled pictures.
    Accuracy(accuracy::Options),
    /// Install the wasm target and the tools of `dev` and `test`, once for every checkout of this user.
    Setup,
    /// Build the npm package for embedders into web/sdk/pkg.
    Sdk,
    /// Build the container image: the static relay with page and models, from scratch.
    Image(image::Options),
    /// Show what ships, raw and compressed.
    Size,
    /// Feed random messages, requests and pictures to what reads them, a minute for each kind.
    Fuzz(fuzz::Options),
    /// See that no files import each other in a circle, and list the long ones.
    Imports,
    /// Take pictures of every view (phone and desktop, light and dark) into a folder.
    Shots {
        /// Where the pictures go.
        folder: PathBuf,
    },
    /// Write the contract and the tables of the documents anew, from the code.
    Documents,
    /// What Trunk calls after each build of the page.
    #[command(hide = true)]
    FinishPage {
        /// Where the sockets of a page go that `trunk serve` gives.
        #[arg(long)]
        relay: String,
    },
}

fn main() -> ExitCode {
    match perform(Arguments::parse().job) {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("\nerror: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(job: Job) -> anyhow::Result<ExitCode> {
    workspace::look_for_root()?;
    match job {
        Job::Run(options) => run::run(&options),
        Job::Dev => dev::dev(),
        Job::Test(options) => suite::test(&options),
        Job::Bench(subject) => bench::bench(subject),
        Job::Accuracy(options) => accuracy::accuracy(options),
        Job::Setup => {
            install::rust::ensure()?;
            install::tools::ensure(&install::tools::ALL).map(|_| ExitCode::SUCCESS)
        }
        Job::Sdk => sdk::build().map(|()| ExitCode::SUCCESS),
        Job::Image(options) => image::image(&options).map(|()| ExitCode::SUCCESS),
        Job::Size => size::show().map(|()| ExitCode::SUCCESS),
        Job::Fuzz(options) => fuzz::fuzz(&options),
        Job::Imports => imports::check().map(|()| ExitCode::SUCCESS),
        Job::Shots { folder } => suite::shots(&folder).map(|()| ExitCode::SUCCESS),
        Job::Documents => documents::renew().map(|()| ExitCode::SUCCESS),
        Job::FinishPage { relay } => page::finish::finish_page(&relay).map(|()| ExitCode::SUCCESS),
    }
}
