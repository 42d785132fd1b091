//! `cargo xtask test`: every test there is, on real parts, with one summary at the end.
//!
//! A step that fails does not keep the next from running, so one run tells all. Everything is built in the one
//! release profile and the one target folder, so a dependency is compiled once per target.

mod contract;
mod counts;
mod steps;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use self::counts::Counts;
use self::steps::Bench;
use crate::image::{self, Engine};
use crate::{apt, npm, process, python, tools, workspace};

#[derive(Args)]
#[command(after_help = "A check without tests of its own (format, lints, builds) counts as one.\n\
    The browser tests need Chromium and its driver, and WebKit's with a screen in memory, those of the stores Postgres\n\
    and Redis, the contract's Python; they are installed through apt-get when root. Those of the npm package need npm,\n\
    which installs the rest into the cache folder. With CI set, nothing may be left out.")]
pub(crate) struct Options {
    /// Run only tests whose name contains this.
    filter: Option<String>,
    /// Run only these steps; may be given more than once.
    #[arg(long, value_enum)]
    only: Vec<Step>,
}

/// In the order in which they run: what is quick to fail first, and the page before the relay's tests, as the relay
/// is compiled anew for another page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting.
    Format,
    /// No circles of imports between files.
    Imports,
    /// Lints of everything, natively.
    Lint,
    /// Lints of what runs in the browser, for the browser.
    LintWasm,
    /// The page and the relay that carries it.
    Build,
    /// Tests of every crate, natively.
    Unit,
    /// The relay's suites once more, over Postgres.
    Postgres,
    /// Strangers' tools, which read the contract: schemathesis, a generated client, pandas.
    Contract,
    /// Tests in headless Chromium.
    Wasm,
    /// Relay processes that are killed, starved and attacked.
    Faults,
    /// The npm package.
    Sdk,
    /// Chromium with a fake camera, WebKit, a relay process and a database.
    E2e,
    /// The container image, built and run.
    Image,
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

struct Result {
    step: Step,
    counts: Counts,
    fault: Option<String>,
    took: Duration,
}

pub(crate) fn test(options: &Options) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let toolbox = tools::ensure(tools::ALL)?;
    // Without a browser the other steps are still worth running.
    let browser = apt::ensure_browser();
    if let Err(fault) = &browser {
        eprintln!("[setup] {fault:#}");
    }
    let mut absent = Vec::new();
    for (found, variable) in [
        (apt::ensure_postgres(), steps::WITHOUT_POSTGRES),
        (apt::ensure_redis(), "MIEN_WITHOUT_REDIS"),
        (apt::ensure_webkit(), "MIEN_WITHOUT_WEBKIT"),
        (apt::ensure_proxies(), "MIEN_WITHOUT_PROXIES"),
    ] {
        if let Err(fault) = found {
            eprintln!("[setup] {fault:#}");
            absent.push((variable, fault));
        }
    }
    let npm = npm::ensure();
    if let Err(fault) = &npm {
        eprintln!("[setup] {fault:#}");
    }
    let npm = npm.map_err(|fault| absent.push((steps::WITHOUT_NPM, fault))).ok();
    let wanted = |step: &Step| match (options.only.is_empty(), &options.filter) {
        (false, _) => options.only.contains(step),
        // A filter names a test; checks and builds have no such names.
        (true, Some(_)) => {
            matches!(step, Step::Unit | Step::Postgres | Step::Wasm | Step::Faults | Step::E2e)
        }
        (true, None) => true,
    };
    let python = wanted(&Step::Contract).then(python::ensure);
    let setup = begun.elapsed();

    let bench = Bench {
        toolbox,
        filter: options.filter.clone(),
        browser,
        absent: absent.iter().map(|(variable, _)| *variable).collect(),
        npm,
        engine: Engine::find(),
        python,
    };
    let mut results = Vec::new();
    for step in Step::value_variants().iter().copied().filter(wanted) {
        eprintln!("\n━━ {} ━━", step.name());
        let begun = Instant::now();
        let (counts, fault) = bench.perform(step);
        if let Some(fault) = &fault {
            eprintln!("{}: {fault}", step.name());
        }
        results.push(Result { step, counts, fault, took: begun.elapsed() });
    }
    let mut code = summarize(&results, setup, begun.elapsed());
    for (_, fault) in &absent {
        println!("left out: {fault:#}");
    }
    if let Some(Err(fault)) = &bench.python {
        println!("left out: {fault:#}");
    }
    // A person may lack a server; what guards the branch may not.
    if !absent.is_empty() && std::env::var_os("CI").is_some() {
        code = ExitCode::FAILURE;
    }
    if bench.engine.is_none() && wanted(&Step::Image) {
        println!(
            "left out: the image needs podman or a running docker. Install: {}",
            apt::command(&image::PACKAGES)
        );
    }
    Ok(code)
}

fn summarize(results: &[Result], setup: Duration, all: Duration) -> ExitCode {
    println!("\n{:<12} {:<7} {:>7} {:>7} {:>8}", "step", "result", "passed", "failed", "time");
    println!("{:<12} {:<7} {:>7} {:>7} {:>8}", "setup", "done", "", "", shown(setup));
    let mut total = Counts::default();
    for Result { step, counts, fault, took } in results {
        let word = if fault.is_some() { "FAILED" } else { "ok" };
        println!(
            "{:<12} {word:<7} {:>7} {:>7} {:>8}",
            step.name(),
            counts.passed,
            counts.failed,
            shown(*took)
        );
        total += *counts;
    }
    println!("{:<12} {:<7} {:>7} {:>7} {:>8}", "all", "", "", "", shown(all));
    for Result { step, fault, .. } in results {
        if let Some(fault) = fault {
            println!("{}: {fault}", step.name());
        }
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 && total.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn shown(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// Builds what the tests run, and these programs too: what the tests have built is not built again.
pub(crate) fn build(programs: &[&str]) -> anyhow::Result<()> {
    steps::build(&tools::ensure(tools::PAGE)?, programs)
}

/// Takes the pictures with the tests' own browser and relay.
pub(crate) fn shots(folder: &Path) -> anyhow::Result<()> {
    apt::ensure_browser()?;
    build(&["shots"])?;
    let folder = std::path::absolute(folder)?;
    let mut command = workspace::command(workspace::relay().with_file_name("shots"));
    process::succeed(command.arg(folder).env("MIEN_RELAY", workspace::relay()))
}
