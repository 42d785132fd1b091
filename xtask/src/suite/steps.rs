//! What each step of the tests runs.

use std::path::PathBuf;
use std::process::Command;

use super::counts::{Counts, count};
use super::{Step, contract};
use crate::image::{self, Engine};
use crate::python::Python;
use crate::tools::{self, Toolbox};
use crate::{page, process, sdk, workspace};

const WASM: &str = "wasm32-unknown-unknown";
/// Everything that also, or only, runs in a browser.
const BROWSER_CRATES: [&str; 7] =
    ["mien-shared", "mien-models", "mien-messages", "mien-worker", "mien-engine", "mien-app", "mien-sdk"];
/// Those with tests for headless Chromium.
const BROWSER_TESTS: [&str; 2] = ["mien-models", "mien-engine"];

/// The command line tool has no place in a browser.
const BROWSER_FEATURES: [&str; 3] = ["--no-default-features", "--features", "mien-models/inference"];

/// One choice of packages for everything that runs natively: their features are united over all of them, so a
/// dependency is compiled once, whichever part of them a step builds.
const EVERYTHING: [&str; 3] = ["--release", "--locked", "--workspace"];

/// The tests of faults, which do not run by themselves either.
const SURVIVAL: &str = "survival";
/// Those of their modules that say themselves which store they are about.
const SURVIVAL_OF_ONE_STORE: [&str; 6] =
    ["disk::", "postgres::", "redis::", "refusals::", "replicas::", "soak::"];

/// compose.yaml over the image that was just built.
const COMPOSE: &str = "compose";

/// Tells tests that this machine has no Postgres.
pub(super) const WITHOUT_POSTGRES: &str = "MIEN_WITHOUT_POSTGRES";

/// Tells tests that this machine has no npm, or where its packages are.
pub(super) const WITHOUT_NPM: &str = "MIEN_WITHOUT_NPM";
const NPM: &str = "MIEN_NPM";

/// The relay's suites that can take another store, and those of their modules for which it makes no difference.
const OVER_ANY_STORE: [&str; 2] = ["http", "sockets"];
const OVER_SQLITE_ALONE: [&str; 10] = [
    "documents::",
    "limits::",
    "origins::",
    "page::",
    "queries::",
    "reference::",
    "restart::",
    "retention::",
    "secrets::",
    "traces::",
];

/// What the steps work with.
pub(super) struct Bench {
    pub(super) toolbox: Toolbox,
    pub(super) filter: Option<String>,
    pub(super) browser: anyhow::Result<()>,
    /// Variables that tell tests which servers this machine does not have.
    pub(super) absent: Vec<&'static str>,
    /// Where bundler and compiler are installed.
    pub(super) npm: Option<PathBuf>,
    /// What runs containers here.
    pub(super) engine: Option<Engine>,
    /// `None` where no step wants it.
    pub(super) python: Option<anyhow::Result<Python>>,
}

impl Bench {
    pub(super) fn perform(&self, step: Step) -> (Counts, Option<String>) {
        let outcome = match step {
            Step::Format => self.check(workspace::cargo().args(["fmt", "--all", "--check"])),
            Step::Lint => self.check(lint(&mut workspace::cargo(), None)),
            Step::LintWasm => self.check(lint(&mut workspace::cargo(), Some(WASM))),
            Step::Build => build(&self.toolbox, &[]).map(|()| (one_passed(), None)),
            Step::Unit => self.unit(),
            Step::Postgres => self.postgres(),
            Step::Contract => self.contract(),
            Step::Wasm => self.wasm(),
            Step::Faults => self.faults(),
            Step::Sdk => sdk::build_with(&self.toolbox).map(|()| (one_passed(), None)),
            Step::E2e => self.e2e(),
            Step::Image => self.image(),
        };
        outcome
            .unwrap_or_else(|fault| (Counts { failed: 1, ..Counts::default() }, Some(format!("{fault:#}"))))
    }

    #[allow(clippy::unused_self)] // so that the steps read alike
    fn check(&self, command: &mut Command) -> anyhow::Result<(Counts, Option<String>)> {
        process::succeed(command).map(|()| (one_passed(), None))
    }

    fn unit(&self) -> anyhow::Result<(Counts, Option<String>)> {
        let mut command = workspace::cargo();
        command.args(["test", "--no-fail-fast"]).args(EVERYTHING);
        command.envs(self.absent.iter().map(|variable| (variable, "1")));
        count(self.filtered(&mut command, &[]))
    }

    fn postgres(&self) -> anyhow::Result<(Counts, Option<String>)> {
        if self.absent.contains(&WITHOUT_POSTGRES) {
            return Ok((Counts::default(), None));
        }
        let mut command = workspace::cargo();
        command.args(["test", "--no-fail-fast"]).args(EVERYTHING);
        for suite in OVER_ANY_STORE {
            command.args(["--test", suite]);
        }
        command.env("MIEN_TESTS_OVER", "postgres");
        command.envs(self.absent.iter().map(|variable| (variable, "1")));
        let skipped: Vec<&str> = OVER_SQLITE_ALONE.iter().flat_map(|module| ["--skip", module]).collect();
        count(self.filtered(&mut command, &skipped))
    }

    fn contract(&self) -> anyhow::Result<(Counts, Option<String>)> {
        match &self.python {
            Some(Ok(python)) => {
                // Whatever page it carries. With a test, so that features are those of the tests, too.
                let mut command = workspace::cargo();
                command.arg("build").args(EVERYTHING).args(["--bin", "mien-relay", "--test", "http"]);
                process::succeed(&mut command)?;
                contract::perform(python)
            }
            Some(Err(_)) | None => Ok((Counts::default(), None)),
        }
    }

    fn wasm(&self) -> anyhow::Result<(Counts, Option<String>)> {
        if self.browser.is_err() {
            return Ok((Counts::default(), None));
        }
        let runner = self.toolbox.program(tools::WASM_BINDGEN, "wasm-bindgen-test-runner");
        let mut command = workspace::cargo();
        command.args(["test", "--release", "--locked", "--no-fail-fast", "--target", WASM]);
        command.args(["--lib", "--tests"]).args(BROWSER_FEATURES);
        for krate in BROWSER_TESTS {
            command.args(["-p", krate]);
        }
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
        command.env("CHROMEDRIVER", "chromedriver");
        // Models are loaded and compiled inside a test.
        command.env("WASM_BINDGEN_TEST_TIMEOUT", "300");
        count(self.filtered(&mut command, &[]))
    }

    fn faults(&self) -> anyhow::Result<(Counts, Option<String>)> {
        build(&self.toolbox, &[])?;
        let mut command = workspace::cargo();
        command.args(["test", "--no-fail-fast"]).args(EVERYTHING).args(["--test", SURVIVAL]);
        command.env("MIEN_RELAY", workspace::relay());
        command.envs(self.absent.iter().map(|variable| (variable, "1")));
        // They wait more than they work. What they print are measures, of use when all went well, too.
        let options = ["--test-threads=4", "--show-output"];
        let (mut counts, mut fault) = count(self.filtered(&mut command, &options))?;
        if !self.absent.contains(&WITHOUT_POSTGRES) {
            command.env("MIEN_TESTS_OVER", "postgres");
            for module in SURVIVAL_OF_ONE_STORE {
                command.args(["--skip", module]);
            }
            let (more, another) = count(&mut command)?;
            counts += more;
            fault = fault.or(another);
        }
        Ok((counts, fault))
    }

    fn e2e(&self) -> anyhow::Result<(Counts, Option<String>)> {
        if self.browser.is_err() {
            return Ok((Counts::default(), None));
        }
        build(&self.toolbox, &[])?;
        if !workspace::root().join("web/sdk/pkg/package.json").is_file() {
            sdk::build_with(&self.toolbox)?;
        }
        let mut command = workspace::cargo();
        command.args(["test", "--no-fail-fast"]).args(EVERYTHING);
        for name in end_to_end()? {
            command.args(["--test", &name]);
        }
        command.env("MIEN_RELAY", workspace::relay());
        command.env("MIEN_ANALYZE", workspace::relay().with_file_name("mien-analyze"));
        command.envs(self.absent.iter().map(|variable| (variable, "1")));
        command.envs(self.npm.iter().map(|folder| (NPM, folder)));
        // Inference wants the whole machine; two at once would only time each other out.
        count(self.filtered(&mut command, &["--test-threads=1"]))
    }

    fn image(&self) -> anyhow::Result<(Counts, Option<String>)> {
        let Some(engine) = self.engine else { return Ok((Counts::default(), None)) };
        image::build(engine)?;
        engine.try_image()?;
        let mut command = workspace::cargo();
        command.arg("test").args(EVERYTHING).args(["--test", COMPOSE]);
        command.envs(self.absent.iter().map(|variable| (variable, "1")));
        let (mut counts, fault) = count(&mut command)?;
        counts += one_passed();
        Ok((counts, fault))
    }

    fn filtered<'a>(&self, command: &'a mut Command, options: &[&str]) -> &'a mut Command {
        command.args(&self.filter).arg("--").args(options)
    }
}

/// The page, the relay that carries it and what the tests start, and these programs too.
pub(super) fn build(toolbox: &Toolbox, programs: &[&str]) -> anyhow::Result<()> {
    page::build(toolbox)?;
    let mut command = workspace::cargo();
    command.arg("build").args(EVERYTHING);
    for program in ["mien-relay", "mien-analyze"].iter().chain(programs) {
        command.args(["--bin", program]);
    }
    // A test among what is built, so that features are those of the tests, too.
    for name in end_to_end()? {
        command.args(["--test", &name]);
    }
    process::succeed(command.args(["--test", SURVIVAL]))
}

fn lint<'a>(cargo: &'a mut Command, target: Option<&str>) -> &'a mut Command {
    cargo.args(["clippy", "--release", "--locked", "--all-targets"]);
    if let Some(target) = target {
        cargo.args(["--target", target]).args(BROWSER_FEATURES);
        for krate in BROWSER_CRATES {
            cargo.args(["-p", krate]);
        }
    } else {
        cargo.arg("--workspace");
    }
    cargo.args(["--", "-D", "warnings"])
}

/// The end to end tests, which do not run by themselves.
fn end_to_end() -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(workspace::root().join("tests/page/tests"))? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "rs") {
            names.extend(file.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}

const fn one_passed() -> Counts {
    Counts { passed: 1, failed: 0, skipped: 0 }
}
