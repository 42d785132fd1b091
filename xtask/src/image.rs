//! `cargo xtask image`: the relay as a container image that contains nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::install::{apt, rust};
use crate::process::Companion;
use crate::{page, process, workspace};

/// If a container does not answer by then, its log says why.
const READY_DEADLINE: Duration = Duration::from_secs(30);
const NAME: &str = "mien-relay";
/// What to install if neither podman nor docker is there.
pub(crate) const PACKAGES: [&str; 2] = ["podman", "runc"];

#[derive(Args)]
pub(crate) struct Options {
    /// Also run the image once, read-only and without rights, and see that it serves.
    #[arg(long)]
    try_it: bool,
}

pub(crate) fn image(options: &Options) -> anyhow::Result<()> {
    let engine = Engine::find().with_context(|| {
        format!("neither podman nor a running docker is here. Install one: {}", apt::command(&PACKAGES))
    })?;
    build(engine)?;
    if options.try_it { engine.try_image() } else { Ok(()) }
}

/// The program that builds and runs images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Podman,
    Docker,
}

impl Engine {
    /// Podman, or a docker whose daemon answers: the client alone can do nothing.
    pub(crate) fn find() -> Option<Self> {
        if process::on_path("podman") {
            return Some(Self::Podman);
        }
        process::quietly(Command::new("docker").arg("info")).then_some(Self::Docker)
    }

    fn command(self) -> Command {
        match self {
            Self::Podman => {
                let mut podman = workspace::command("podman");
                // crun, podman's alternative, needs cgroups that nested containers lack.
                if process::on_path("runc") {
                    podman.args(["--runtime", "runc"]);
                }
                podman
            }
            Self::Docker => workspace::command("docker"),
        }
    }

    fn build(self, context: &Path) -> anyhow::Result<()> {
        let mut command = self.command();
        command.arg("build");
        if self == Self::Podman {
            // Nothing runs while this image is built, so no namespaces are needed.
            command.args(["--isolation", "chroot", "--format", "docker"]);
        }
        command.args(["--quiet", "--tag", NAME, "--file", "Dockerfile"]);
        process::succeed(command.arg(context))
    }

    fn size(self) -> anyhow::Result<u64> {
        let said = process::text(self.command().args(["image", "inspect", "--format", "{{.Size}}", NAME]));
        said.and_then(|bytes| bytes.parse().ok()).context("the engine does not tell the image's size")
    }

    /// Starts it as `compose.yaml` does, on a database of its own, and waits until it reports that it is healthy.
    pub(crate) fn try_image(self) -> anyhow::Result<()> {
        let name = format!("{NAME}-try-{}", std::process::id());
        let mut command = self.command();
        command.args(["run", "--detach", "--rm", "--read-only", "--cap-drop", "all", "--name", &name]);
        command.args(["--security-opt", "no-new-privileges", "--network", "none"]);
        if self == Self::Podman {
            // Limits that an unprivileged host allows.
            command.args(["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]);
        }
        let secret = "for one try, and with nothing behind it";
        command.args(["--env", &format!("MIEN_TOKEN_SECRET={secret}"), NAME]);
        let started = command.output().context("could not start the container engine")?;
        if !started.status.success() {
            bail!("the image does not start:\n{}", String::from_utf8_lossy(&started.stderr));
        }
        let deadline = Instant::now() + READY_DEADLINE;
        let is_well = || process::quietly(self.command().args(["exec", &name, "/mien-relay", "health"]));
        let mut well = is_well();
        while !well && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(200));
            well = is_well();
        }
        let log = process::text(self.command().args(["logs", &name])).unwrap_or_default();
        let ended = Instant::now();
        let stopped = process::quietly(self.command().args(["stop", "--time", "20", &name]));
        if !well {
            bail!("the image does not get well within {} s:\n{log}", READY_DEADLINE.as_secs());
        }
        if !stopped || ended.elapsed() > Duration::from_secs(15) {
            bail!("the image does not end when asked to:\n{log}");
        }
        println!("{NAME} runs read-only, without root, and is well");
        Ok(())
    }
}

/// Builds the image and says how large it is.
pub(crate) fn build(engine: Engine) -> anyhow::Result<()> {
    let target = prepare()?;
    process::succeed(&mut compilation(&target))?;
    let context = context(&built().join(&target).join("release/mien-relay"))?;
    engine.build(&context)?;
    println!("{NAME}: {:.1} MB, static, page and models inside", engine.size()? as f64 / 1e6);
    Ok(())
}

/// Begins to compile the image's relay with what the processor has left beside other work. Says nothing: [`build`]
/// finds what is already compiled, and reports what could not be.
pub(crate) fn compile_beside() -> anyhow::Result<Companion> {
    let mut compilation = compilation(&prepare()?);
    compilation.args(["--jobs", "1"]);
    Companion::start(process::at_low_priority(&compilation).stdout(Stdio::null()).stderr(Stdio::null()))
}

fn prepare() -> anyhow::Result<String> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    apt::ensure_musl()?;
    rust::ensure()?;
    rust::ensure_target(&target)?;
    page::build()?;
    Ok(target)
}

fn compilation(target: &str) -> Command {
    let mut cargo = workspace::cargo();
    cargo
        .args(["build", "--release", "--locked", "-p", "mien-relay", "--target", target, "--target-dir"])
        .arg(built())
        // Function names are for profiling; what ships has none.
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    cargo
}

/// A target folder of its own: Cargo locks it, and other things are compiled meanwhile.
fn built() -> PathBuf {
    workspace::target().join("static")
}

/// A folder with everything that the image contains, so that nothing else of the checkout is sent to the engine.
fn context(relay: &Path) -> anyhow::Result<PathBuf> {
    let folder = workspace::target().join("image");
    let data = folder.join("data");
    fs::create_dir_all(&data).with_context(|| format!("could not make {}", data.display()))?;
    fs::copy(relay, folder.join("mien-relay"))?;
    Ok(folder)
}
