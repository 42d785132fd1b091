//! What each step of the tests runs.

use std::process::Command;

use super::build::{EVERYTHING, SURVIVAL, build, end_to_end};
use super::counts::{Counts, count};
use super::machine::Machine;
use super::step::Step;
use super::{contract, deny};
use crate::install::tools;
use crate::process::Companion;
use crate::{image, imports, process, sdk, workspace};

/// Everything that runs in a browser, including what runs only there.
const BROWSER_CRATES: [&str; 7] =
    ["mien-shared", "mien-models", "mien-messages", "mien-worker", "mien-engine", "mien-app", "mien-sdk"];
/// Crates with tests for headless Chromium.
const BROWSER_TESTS: [&str; 2] = ["mien-models", "mien-engine"];

/// Leaves out the command line tools, which have no place in a browser.
const BROWSER_FEATURES: [&str; 3] = ["--no-default-features", "--features", "mien-models/inference"];

/// Modules of the survival tests that choose their store themselves.
const SURVIVAL_OF_ONE_STORE: [&str; 6] =
    ["disk::", "postgres::", "redis::", "refusals::", "replicas::", "soak::"];

/// The tests of compose.yaml with the image that was just built.
const COMPOSE: &str = "compose";

/// Tells tests where npm's packages are.
const NPM: &str = "MIEN_NPM";

/// Tells the soak tests for how many seconds clients come and go.
const SOAK_SECONDS: &str = "MIEN_SOAK_SECONDS";
const SOAK: &str = "soak::";

/// The relay's suites that can run on another store, and those of their modules for which the store makes no
/// difference.
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

/// How extensive the test run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Without servers, whatever the machine has and CI requires.
    Quick,
    /// As long as one can wait for on every change.
    Usual,
    /// Only the soak tests, long enough to show what builds up slowly.
    Soak,
}

impl Extent {
    fn soak_seconds(self) -> &'static str {
        match self {
            Self::Quick | Self::Usual => "60",
            Self::Soak => "300",
        }
    }
}

/// What the steps work with.
pub(super) struct Run {
    pub(super) machine: Machine,
    pub(super) filter: Option<String>,
    pub(super) extent: Extent,
    /// The image's relay, while it is compiled beside other steps.
    pub(super) image: Option<Companion>,
}

type Outcome = anyhow::Result<(Counts, Option<String>)>;

impl Run {
    /// From here on most steps wait more than they compute, and the image's relay takes three minutes to compile.
    pub(super) fn compile_image_beside(&mut self) -> anyhow::Result<()> {
        if self.machine.engine.is_some() {
            self.image = Some(image::compile_beside()?);
        }
        Ok(())
    }

    pub(super) fn perform(&mut self, step: Step) -> (Counts, Option<String>) {
        let outcome = match step {
            Step::Format => passed(process::succeed(workspace::cargo().args(["fmt", "--all", "--check"]))),
            Step::Imports => passed(imports::check()),
            Step::Deny => self.deny(),
            Step::Lint => passed(lint(None)),
            Step::LintWasm => passed(lint(Some(workspace::WASM))),
            Step::Build => passed(build(&[])),
            Step::Unit => self.unit(),
            Step::Postgres => self.postgres(),
            Step::Contract => self.contract(),
            Step::Wasm => self.wasm(),
            Step::Faults => self.faults(),
            Step::Sdk => passed(sdk::build()),
            Step::E2e => self.e2e(),
            Step::Image => self.image(),
        };
        outcome
            .unwrap_or_else(|fault| (Counts { failed: 1, ..Counts::default() }, Some(format!("{fault:#}"))))
    }

    fn deny(&self) -> Outcome {
        self.machine.deny.as_ref().map_or_else(|| Ok(skipped()), deny::perform)
    }

    fn unit(&self) -> Outcome {
        let mut command = workspace::cargo();
        command.args(["test", "--no-fail-fast"]).args(EVERYTHING);
        command.envs(self.machine.absent.iter().map(|variable| (variable, "1")));
        if self.extent == Extent::Quick {
            command.env_remove("CI");
        }
        count(self.filtered(&mut command, &[]))
    }

    fn postgres(&self) -> Outcome {
        if !self.machine.has_postgres() {
            return Ok(skipped());
        }
        let mut command = workspace::cargo();
        command.args(["test", "--no-fail-fast"]).args(EVERYTHING);
        for suite in OVER_ANY_STORE {
            command.args(["--test", suite]);
        }
        command.env("MIEN_TESTS_OVER", "postgres");
        command.envs(self.machine.absent.iter().map(|variable| (variable, "1")));
        let skipped: Vec<&str> = OVER_SQLITE_ALONE.iter().flat_map(|module| ["--skip", module]).collect();
        count(self.filtered(&mut command, &skipped))
    }

    fn contract(&self) -> Outcome {
        let Some(readers) = &self.machine.readers else { return Ok(skipped()) };
        // With whatever page it carries. Together with a test, so that features are those of the tests, too.
        let mut command = workspace::cargo();
        command.arg("build").args(EVERYTHING).args(["--bin", "mien-relay", "--test", "http"]);
        process::succeed(&mut command)?;
        contract::perform(readers)
    }

    fn wasm(&self) -> Outcome {
        let Some(toolbox) = &self.machine.browser else { return Ok(skipped()) };
        let runner = toolbox.program(tools::WASM_BINDGEN, "wasm-bindgen-test-runner");
        let mut command = workspace::cargo();
        command.args(["test", "--release", "--locked", "--no-fail-fast", "--target", workspace::WASM]);
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

    fn faults(&self) -> Outcome {
        build(&[])?;
        let mut command = workspace::cargo();
        command.args(["test", "--no-fail-fast"]).args(EVERYTHING).args(["--test", SURVIVAL]);
        command.env("MIEN_RELAY", workspace::relay());
        command.env(SOAK_SECONDS, self.extent.soak_seconds());
        command.envs(self.machine.absent.iter().map(|variable| (variable, "1")));
        if self.extent == Extent::Soak {
            return count(command.args([SOAK, "--", "--show-output"]));
        }
        // They wait more than they compute. What they print are measurements, useful even if everything passed.
        let options = ["--test-threads=4", "--show-output"];
        let (mut counts, mut fault) = count(self.filtered(&mut command, &options))?;
        if self.machine.has_postgres() {
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

    fn e2e(&self) -> Outcome {
        if self.machine.browser.is_none() {
            return Ok(skipped());
        }
        build(&[])?;
        if !workspace::root().join("web/sdk/pkg/package.json").is_file() {
            sdk::build()?;
        }
        let mut command = workspace::cargo();
        command.args(["test", "--no-fail-fast"]).args(EVERYTHING);
        for name in end_to_end()? {
            command.args(["--test", &name]);
        }
        command.env("MIEN_RELAY", workspace::relay());
        command.env("MIEN_ANALYZE", workspace::relay().with_file_name("mien-analyze"));
        command.envs(self.machine.absent.iter().map(|variable| (variable, "1")));
        command.envs(self.machine.npm.iter().map(|folder| (NPM, folder)));
        // Inference needs the whole machine; two at once would only make each other time out.
        count(self.filtered(&mut command, &["--test-threads=1"]))
    }

    fn image(&mut self) -> Outcome {
        let Some(engine) = self.machine.engine else { return Ok(skipped()) };
        if let Some(compilation) = self.image.take() {
            compilation.wait()?;
        }
        image::build(engine)?;
        engine.try_image()?;
        let mut command = workspace::cargo();
        command.arg("test").args(EVERYTHING).args(["--test", COMPOSE]);
        command.envs(self.machine.absent.iter().map(|variable| (variable, "1")));
        let (mut counts, fault) = count(&mut command)?;
        counts.passed += 1;
        Ok((counts, fault))
    }

    fn filtered<'a>(&self, command: &'a mut Command, options: &[&str]) -> &'a mut Command {
        command.args(&self.filter).arg("--").args(options)
    }
}

fn lint(target: Option<&str>) -> anyhow::Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["clippy", "--release", "--locked", "--all-targets"]);
    if let Some(target) = target {
        cargo.args(["--target", target]).args(BROWSER_FEATURES);
        for krate in BROWSER_CRATES {
            cargo.args(["-p", krate]);
        }
    } else {
        cargo.arg("--workspace");
    }
    process::succeed(cargo.args(["--", "-D", "warnings"]))
}

fn passed(outcome: anyhow::Result<()>) -> Outcome {
    outcome.map(|()| (Counts { passed: 1, ..Counts::default() }, None))
}

/// Something that this machine cannot do; the reason is printed at the end.
fn skipped() -> (Counts, Option<String>) {
    (Counts::default(), None)
}
