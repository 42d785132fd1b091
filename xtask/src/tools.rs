//! The tools the page is built with: which, in what version, and how they come onto the machine.
//!
//! They live in the user's cache folder under their version, so that a fresh clone finds them and two
//! checkouts with different pins do not disturb each other. Nothing is downloaded but crates.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::{process, workspace};

const WASM: &str = "wasm32-unknown-unknown";

/// One pinned tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    krate: &'static str,
    /// Of the folder in the cache.
    name: &'static str,
    version: &'static str,
    /// Whether the crate's own lock file still builds.
    locked: bool,
    programs: &'static [&'static str],
    /// What it does takes long enough to be worth optimizing.
    optimized: bool,
    /// On two cores, for the notice before it.
    usual_seconds: u64,
}

/// Trunk and wasm-pack take this one from the path, so its version must be the library's.
pub(crate) const WASM_BINDGEN: Tool = Tool {
    krate: "wasm-bindgen-cli",
    name: "wasm-bindgen",
    version: "0.2.130",
    // Its lock file holds a yanked crate.
    locked: false,
    programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
    optimized: true,
    usual_seconds: 120,
};

pub(crate) const TRUNK: Tool = Tool {
    krate: "trunk",
    name: "trunk",
    version: "0.21.14",
    locked: true,
    programs: &["trunk"],
    optimized: false,
    usual_seconds: 340,
};

pub(crate) const WASM_PACK: Tool = Tool {
    krate: "wasm-pack",
    name: "wasm-pack",
    version: "0.15.1",
    locked: true,
    programs: &["wasm-pack"],
    optimized: false,
    usual_seconds: 120,
};

pub(crate) const ALL: &[Tool] = &[WASM_BINDGEN, TRUNK, WASM_PACK];
/// What the page alone needs.
pub(crate) const PAGE: &[Tool] = &[WASM_BINDGEN, TRUNK];

/// Settings that build a tool in a third of the time; how fast it then runs hardly matters here.
const CHEAP_PROFILE: [(&str, &str); 2] =
    [("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")];

/// The installed tools.
#[derive(Clone, Debug)]
pub(crate) struct Toolbox {
    cache: PathBuf,
}

impl Toolbox {
    fn in_cache() -> anyhow::Result<Self> {
        Ok(Self { cache: cache()?.join("tools") })
    }

    fn folder(&self, tool: Tool) -> PathBuf {
        self.cache.join(format!("{}-{}", tool.name, tool.version))
    }

    pub(crate) fn program(&self, tool: Tool, program: &str) -> PathBuf {
        self.folder(tool).join("bin").join(program)
    }

    fn has(&self, tool: Tool) -> bool {
        tool.programs.iter().all(|program| self.program(tool, program).is_file())
    }

    /// The search path with every tool before what the system has.
    pub(crate) fn path(&self) -> anyhow::Result<OsString> {
        let ours = ALL.iter().map(|tool| self.folder(*tool).join("bin"));
        let system = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(ours.chain(std::env::split_paths(&system)))
            .context("a folder of PATH has a colon")
    }

    /// A command that starts in the root and finds the tools.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> anyhow::Result<Command> {
        let mut command = workspace::command(program);
        command.env("PATH", self.path()?);
        Ok(command)
    }
}

/// Mien's part of the user's cache folder.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from) {
        Some(folder) if folder.is_absolute() => folder,
        _ => {
            let home = std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
            PathBuf::from(home).join(".cache")
        }
    };
    Ok(cache.join("mien"))
}

/// Makes sure that the wasm target, these tools and the locked crates are there. Instant when they are.
pub(crate) fn ensure(tools: &[Tool]) -> anyhow::Result<Toolbox> {
    ensure_linker()?;
    ensure_target(WASM)?;
    let toolbox = Toolbox::in_cache()?;
    if tools.iter().any(|tool| !toolbox.has(*tool)) {
        install_missing(&toolbox, tools)?;
    }
    fetch_crates()?;
    Ok(toolbox)
}

fn ensure_linker() -> anyhow::Result<()> {
    if !process::on_path("cc") {
        bail!(
            "no C compiler (`cc`), which Rust links with. Install it: {}",
            crate::apt::command(&["gcc", "libc6-dev"])
        );
    }
    Ok(())
}

/// Adds a target to the Rust that builds this checkout.
pub(crate) fn ensure_target(target: &str) -> anyhow::Result<()> {
    let sysroot =
        process::text(Command::new("rustc").args(["--print", "sysroot"]).current_dir(workspace::root()))
            .context("`rustc --print sysroot` failed")?;
    if Path::new(&sysroot).join("lib/rustlib").join(target).join("lib").is_dir() {
        return Ok(());
    }
    if !process::on_path("rustup") {
        bail!("this Rust has no {target} and there is no rustup to add it: https://rustup.rs");
    }
    eprintln!("[setup] adding the target {target}");
    process::succeed(workspace::command("rustup").args(["target", "add", target]))
}

/// Two at once would build everything twice: the second waits for the first, until that drops what it is given.
pub(crate) fn lock(cache: &Path) -> anyhow::Result<File> {
    fs::create_dir_all(cache).with_context(|| format!("could not make {}", cache.display()))?;
    let lock = File::create(cache.join("lock"))?;
    if lock.try_lock().is_err() {
        eprintln!("[setup] another setup is at work; waiting for it");
        lock.lock()?;
    }
    Ok(lock)
}

fn install_missing(toolbox: &Toolbox, tools: &[Tool]) -> anyhow::Result<()> {
    let _lock = lock(&toolbox.cache)?;
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
    // Outside the checkout, whose own settings are not meant for tools.
    command.current_dir(&toolbox.cache);
    command.args(["install", tool.krate, "--version", &format!("={}", tool.version), "--force"]);
    // What they can do without is to fetch things from the network, which nothing here wants.
    command.arg("--no-default-features");
    command.arg("--root").arg(toolbox.folder(tool)).arg("--target-dir").arg(build);
    if tool.locked {
        command.arg("--locked");
    }
    if !std::io::stderr().is_terminal() {
        // A log of a build needs no bar, but it needs a sign of life.
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

/// Trunk builds offline, so the crates must lie here before.
fn fetch_crates() -> anyhow::Result<()> {
    if process::quietly(workspace::cargo().args(["fetch", "--quiet", "--locked", "--offline"])) {
        return Ok(());
    }
    eprintln!("[setup] fetching crates");
    process::succeed(workspace::cargo().arg("fetch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trunk and the page break in odd ways when these differ.
    #[test]
    fn the_pinned_tool_and_the_library_have_one_version() {
        let read = |file: &str| fs::read_to_string(workspace::root().join(file)).unwrap();
        let pin = format!("wasm-bindgen = \"={}\"", WASM_BINDGEN.version);
        assert!(read("Cargo.toml").contains(&pin), "Cargo.toml lacks {pin}");
        let pin = format!("wasm_bindgen = \"{}\"", WASM_BINDGEN.version);
        assert!(read("Trunk.toml").contains(&pin), "Trunk.toml lacks {pin}");
        let pin = format!("trunk-version = \"={}\"", TRUNK.version);
        assert!(read("Trunk.toml").contains(&pin), "Trunk.toml lacks {pin}");
    }
}
