//! Pinned programs that are built from crates: `trunk serve` and the browser tests need them; building and running Mien
//! does not.
//!
//! They live in the user's cache folder under their version, so that a fresh clone finds them and two checkouts with
//! different pins do not disturb each other. Only crates are downloaded.

use std::ffi::OsString;
use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};

use super::cache;
use crate::{process, workspace};

/// One pinned tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    krate: &'static str,
    /// Name of the folder in the cache.
    name: &'static str,
    version: &'static str,
    /// Whether the crate builds with its own lock file.
    locked: bool,
    programs: &'static [&'static str],
    /// Whether its work takes long enough to be worth optimizing.
    optimized: bool,
    /// Measured on two cores, for the notice before the build.
    usual_seconds: u64,
}

/// Trunk takes it from the path, so its version must match the library's.
pub(crate) const WASM_BINDGEN: Tool = Tool {
    krate: "wasm-bindgen-cli",
    name: "wasm-bindgen",
    version: "0.2.130",
    // Its lock file contains a yanked crate.
    locked: false,
    programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
    optimized: true,
    usual_seconds: 70,
};

pub(crate) const TRUNK: Tool = Tool {
    krate: "trunk",
    name: "trunk",
    version: "0.21.14",
    locked: true,
    programs: &["trunk"],
    optimized: false,
    usual_seconds: 110,
};

/// What `cargo xtask setup` installs.
pub(crate) const ALL: [Tool; 2] = [WASM_BINDGEN, TRUNK];

/// Settings that build a tool in a third of the time; how fast it runs afterwards hardly matters here.
const CHEAP_PROFILE: [(&str, &str); 2] =
    [("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")];

/// The installed tools.
#[derive(Clone, Debug)]
pub(crate) struct Toolbox {
    cache: PathBuf,
}

impl Toolbox {
    fn folder(&self, tool: Tool) -> PathBuf {
        self.cache.join(format!("{}-{}", tool.name, tool.version))
    }

    pub(crate) fn program(&self, tool: Tool, program: &str) -> PathBuf {
        self.folder(tool).join("bin").join(program)
    }

    fn has(&self, tool: Tool) -> bool {
        tool.programs.iter().all(|program| self.program(tool, program).is_file())
    }

    /// The search path with every tool ahead of the system's programs.
    fn path(&self) -> anyhow::Result<OsString> {
        let ours = ALL.iter().map(|tool| self.folder(*tool).join("bin"));
        let system = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(ours.chain(std::env::split_paths(&system)))
            .context("a folder of PATH has a colon")
    }

    /// A command that runs in the root and finds the tools.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> anyhow::Result<Command> {
        let mut command = workspace::command(program);
        command.env("PATH", self.path()?);
        Ok(command)
    }
}

/// Makes sure that these tools are installed. Instant if they are.
pub(crate) fn ensure(tools: &[Tool]) -> anyhow::Result<Toolbox> {
    let toolbox = Toolbox { cache: cache::folder()?.join("tools") };
    if tools.iter().any(|tool| !toolbox.has(*tool)) {
        install_missing(&toolbox, tools)?;
    }
    Ok(toolbox)
}

fn install_missing(toolbox: &Toolbox, tools: &[Tool]) -> anyhow::Result<()> {
    let _lock = cache::lock(&toolbox.cache)?;
    let missing: Vec<Tool> = tools.iter().copied().filter(|tool| !toolbox.has(*tool)).collect();
    let build = toolbox.cache.join("build");
    for (place, tool) in missing.iter().enumerate() {
        eprintln!(
            "[setup {}/{}] building {} {} into {} (once; about {} min on two cores)",
            place + 1,
            missing.len(),
            tool.name,
            tool.version,
            toolbox.folder(*tool).display(),
            tool.usual_seconds.div_ceil(60),
        );
        let begun = Instant::now();
        install(toolbox, *tool, &build)?;
        eprintln!(
            "[setup {}/{}] {} took {} s",
            place + 1,
            missing.len(),
            tool.name,
            begun.elapsed().as_secs()
        );
    }
    // Hundreds of megabytes that nobody needs again.
    if build.exists() {
        fs::remove_dir_all(&build)?;
    }
    Ok(())
}

fn install(toolbox: &Toolbox, tool: Tool, build: &Path) -> anyhow::Result<()> {
    let mut command = workspace::cargo();
    // Outside the checkout, whose own Cargo settings are not meant for tools.
    command.current_dir(&toolbox.cache);
    command.args(["install", tool.krate, "--version", &format!("={}", tool.version), "--force"]);
    // Their default features fetch things from the network, which is not wanted here.
    command.arg("--no-default-features");
    command.arg("--root").arg(toolbox.folder(tool)).arg("--target-dir").arg(build);
    if tool.locked {
        command.arg("--locked");
    }
    if !std::io::stderr().is_terminal() {
        // A build log needs no progress bar, but it needs a sign of life.
        command.env("CARGO_TERM_PROGRESS_WHEN", "never");
    }
    command.envs(CHEAP_PROFILE).env_remove("RUSTFLAGS");
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", if tool.optimized { "1" } else { "0" });
    process::succeed(&mut command)?;
    if !toolbox.has(tool) {
        bail!("{} {} was installed without {}", tool.krate, tool.version, tool.programs.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trunk and the page break in odd ways when these differ.
    #[test]
    fn the_pinned_tool_and_the_library_have_one_version() {
        let read = |file: &str| fs::read_to_string(workspace::root().join(file)).unwrap();
        for library in ["wasm-bindgen", "wasm-bindgen-cli-support"] {
            let pin = format!("{library} = \"={}\"", WASM_BINDGEN.version);
            assert!(read("Cargo.toml").contains(&pin), "Cargo.toml lacks {pin}");
        }
        let pin = format!("wasm_bindgen = \"{}\"", WASM_BINDGEN.version);
        assert!(read("Trunk.toml").contains(&pin), "Trunk.toml lacks {pin}");
        let pin = format!("trunk-version = \"={}\"", TRUNK.version);
        assert!(read("Trunk.toml").contains(&pin), "Trunk.toml lacks {pin}");
    }
}
