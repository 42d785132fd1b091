//! `cargo xtask fuzz`: random messages, requests, pictures and numbers, guided by code coverage, for a while each.
//!
//! Uses the same Rust as everything else: LLVM counts coverage, and libFuzzer comes with its crate. Only nightly Rust
//! has the memory sanitizers, which safe code does not need.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use crate::install::{apt, rust};
use crate::{files, process, workspace};

const PACKAGE: &str = "mien-fuzz";
/// Links libFuzzer, which needs a C++ compiler.
const FEATURE: &str = "mien-fuzz/libfuzzer";
/// The flags that cargo-fuzz passes to rustc, as far as stable Rust supports them.
const FLAGS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
];
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Lines of what libFuzzer prints about a fault.
const LAST_LINES: usize = 40;

#[derive(Args)]
pub(crate) struct Options {
    /// Only this target.
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) fn fuzz(options: &Options) -> anyhow::Result<ExitCode> {
    let folder = workspace::root().join(workspace::FUZZ);
    let all: Vec<String> = files::below(&folder.join("fuzz_targets"))?
        .iter()
        .filter_map(|file| file.strip_suffix(".rs").map(str::to_owned))
        .collect();
    let targets: Vec<&String> =
        all.iter().filter(|name| options.target.as_ref().is_none_or(|wanted| wanted == *name)).collect();
    ensure!(!targets.is_empty(), "there is no such target; there are {}", all.join(", "));
    if !process::on_path("c++") {
        bail!(
            "no C++ compiler (`c++`), which libFuzzer is built with. Install it: {}",
            apt::command(&["g++"])
        );
    }
    let programs = build()?;
    let mut faults = Vec::new();
    for (place, name) in targets.iter().enumerate() {
        let title = format!("[fuzz {}/{}] {name}", place + 1, targets.len());
        let examples = folder.join("corpus").join(name);
        if let Err(fault) = run(&title, &programs.join(name), &examples, options.seconds) {
            eprintln!("{title}: {fault:#}");
            faults.push(name.as_str());
        }
    }
    ensure!(faults.is_empty(), "faults found by {}", faults.join(", "));
    Ok(ExitCode::SUCCESS)
}

/// Returns the folder of the programs.
fn build() -> anyhow::Result<PathBuf> {
    // Separate from everything else, which is compiled without these flags.
    let target = workspace::target().join("fuzz");
    let host = rust::host()?;
    let programs = target.join(&host).join("release");
    if !programs.is_dir() {
        eprintln!(
            "[fuzz] building everything with counters of what is reached (once; about 5 min on two cores)"
        );
    }
    let mut cargo = workspace::cargo();
    // With an explicit target, build scripts and macros are compiled without these flags.
    cargo.args(["build", "--release", "--locked", "-p", PACKAGE, "--features", FEATURE, "--target", &host]);
    cargo.env("CARGO_TARGET_DIR", &target).env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    process::succeed(&mut cargo)?;
    Ok(programs)
}

/// Inputs that it finds stay out of the checkout's corpus, which is curated by hand.
fn run(title: &str, program: &Path, examples: &Path, seconds: u64) -> anyhow::Result<()> {
    let name = program.file_name().context("a target has a name")?;
    let found = workspace::target().join("fuzz/corpus").join(name);
    let faults = workspace::target().join("fuzz/faults").join(name);
    for folder in [&found, &faults] {
        fs::create_dir_all(folder)?;
    }
    let mut command = workspace::command(program);
    command.arg(format!("-max_total_time={seconds}")).arg("-timeout=10");
    command.arg(format!("-artifact_prefix={}/", faults.display()));
    let mut fuzzer = command
        .args([&found, examples])
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{}`", process::shown(&command)))?;
    let output = fuzzer.stderr.take().context("a piped output is there")?;
    let (begun, mut told) = (Instant::now(), Instant::now());
    let mut last = VecDeque::new();
    let mut seen = Pulse::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        if let Some(pulse) = Pulse::read(&line) {
            seen = pulse;
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                eprintln!("{title}: {} of {seconds} s, {seen}", begun.elapsed().as_secs());
            }
        }
        last.push_back(line);
        if last.len() > LAST_LINES {
            last.pop_front();
        }
    }
    let status = fuzzer.wait()?;
    if !status.success() {
        bail!("ended with {status}; the input is in {}:\n{}", faults.display(), Vec::from(last).join("\n"));
    }
    println!("{title}: {seen}, no fault");
    Ok(())
}

/// `#4096 NEW cov: 812 ft: 1023 …`: libFuzzer's progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pulse {
    inputs: u64,
    reached: u64,
}

impl Pulse {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix('#')?.split_whitespace();
        let inputs = words.next()?.parse().ok()?;
        words.find(|word| *word == "cov:")?;
        Some(Self { inputs, reached: words.next()?.parse().ok()? })
    }
}

impl std::fmt::Display for Pulse {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} inputs, {} places reached", self.inputs, self.reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libfuzzers_lines_are_read() {
        let line = "#4096\tNEW    cov: 812 ft: 1023 corp: 60/2kb lim: 43 exec/s: 0 rss: 58Mb L: 9/43 MS: 1 EraseBytes-";
        assert_eq!(Pulse::read(line), Some(Pulse { inputs: 4096, reached: 812 }));
        for line in ["INFO: Seed: 1", "#7 DONE", "# cov: 3", "#x cov: 3", "stat::number_of_executed_units: 5"]
        {
            assert_eq!(Pulse::read(line), None, "{line}");
        }
    }
}
