//! What Rust itself needs to build Mien: a linker, the browser's target and the locked crates.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::apt;
use crate::{process, workspace};

/// Instant if everything is there.
pub(crate) fn ensure() -> anyhow::Result<()> {
    if !process::on_path("cc") {
        bail!(
            "no C compiler (`cc`), which Rust links with. Install it: {}",
            apt::command(&["gcc", "libc6-dev"])
        );
    }
    ensure_target(workspace::WASM)?;
    // A step separate from the builds, so that a network failure is recognisable as one.
    let targets = ["--target", &host()?, "--target", workspace::WASM];
    let fetch = |options: &[&str]| {
        let mut cargo = workspace::cargo();
        cargo.args(["fetch", "--locked"]).args(targets).args(options);
        cargo
    };
    if process::quietly(&mut fetch(&["--quiet", "--offline"])) {
        return Ok(());
    }
    eprintln!("[setup] fetching crates");
    process::succeed(&mut fetch(&[]))
}

/// The target of this machine.
pub(crate) fn host() -> anyhow::Result<String> {
    process::text(Command::new("rustc").args(["--print", "host-tuple"]).current_dir(workspace::root()))
        .context("`rustc --print host-tuple` failed")
}

/// Adds a target to the Rust toolchain that builds this checkout.
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
