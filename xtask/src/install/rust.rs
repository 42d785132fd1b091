//! What Rust itself needs to build Mien: a linker, the browser's target and the locked crates.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::apt;
use crate::{process, workspace};

/// Instant when everything is there.
pub(crate) fn ensure() -> anyhow::Result<()> {
    if !process::on_path("cc") {
        bail!(
            "no C compiler (`cc`), which Rust links with. Install it: {}",
            apt::command(&["gcc", "libc6-dev"])
        );
    }
    ensure_target(workspace::WASM)?;
    // Apart from the builds, so that a network that does not answer is seen as such.
    if process::quietly(workspace::cargo().args(["fetch", "--quiet", "--locked", "--offline"])) {
        return Ok(());
    }
    eprintln!("[setup] fetching crates");
    process::succeed(workspace::cargo().args(["fetch", "--locked"]))
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
