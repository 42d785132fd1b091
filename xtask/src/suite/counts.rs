//! Reads the tests' results from the output of their runners.

use std::io::{BufRead as _, BufReader};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::process;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    /// Among those that the runner reports as passed.
    pub(super) skipped: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Runs a command, shows what it prints, and adds up its results. A runner that fails without having counted a failure
/// (because it did not compile, or crashed) counts as one failure.
pub(super) fn count(command: &mut Command) -> anyhow::Result<(Counts, Option<String>)> {
    let name = process::shown(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("could not start `{name}`"))?;
    let output = child.stdout.take().context("a piped output is there")?;
    let mut counts = Counts::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        counts += of_line(&line);
        println!("{line}");
    }
    let status = child.wait()?;
    if status.success() {
        return Ok((counts, None));
    }
    counts.failed = counts.failed.max(1);
    Ok((counts, Some(format!("`{name}` ended with {status}"))))
}

/// `skipped: a_test (…): why`, as printed by tests that miss something on the machine; or
/// `test result: ok. 12 passed; 0 failed; …`, as printed at the end by both libtest and wasm-bindgen's runner.
fn of_line(line: &str) -> Counts {
    if line.starts_with("skipped: ") {
        return Counts { skipped: 1, ..Counts::default() };
    }
    let Some((_, result)) = line.split_once("test result: ") else { return Counts::default() };
    let number = |word: &str| {
        result
            .split([';', '.'])
            .find_map(|part| part.trim().strip_suffix(word))
            .and_then(|number| number.trim().parse().ok())
            .unwrap_or(0)
    };
    Counts { passed: number("passed"), failed: number("failed"), skipped: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_from_both_runners() {
        for (line, passed, failed, skipped) in [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                12,
                0,
                0,
            ),
            ("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 filtered out", 2, 3, 0),
            ("    test result: ok. 7 passed; 0 failed; 0 ignored; 0 filtered out; finished in 1.2s", 7, 0, 0),
            ("test a_result ... ok", 0, 0, 0),
            ("skipped: a_test (tests/a.rs:7): `initdb` is missing", 0, 0, 1),
        ] {
            assert_eq!(of_line(line), Counts { passed, failed, skipped }, "{line}");
        }
    }

    #[test]
    fn a_runner_that_dies_counts_as_one_failure() {
        let (counts, fault) = count(Command::new("sh").args(["-c", "exit 3"])).unwrap();
        assert_eq!(counts, Counts { passed: 0, failed: 1, skipped: 0 });
        assert!(fault.unwrap().contains("exit status: 3"));
        let (counts, fault) =
            count(Command::new("sh").args(["-c", "echo 'test result: ok. 4 passed; 0 failed'"])).unwrap();
        assert_eq!((counts, fault), (Counts { passed: 4, ..Counts::default() }, None));
    }
}
