//! Crates for the browser: compiled, and given the JavaScript that loads them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::{process, workspace};

/// Whether to write TypeScript declarations, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declarations {
    Written,
    LeftOut,
}

/// Builds wasm-bindgen from its library, at the version that the page's crates use: a third of the cost of installing
/// its command line tool.
pub(crate) fn build_bindgen() -> anyhow::Result<()> {
    process::succeed(workspace::cargo().args(["build", "--release", "--locked", "-p", "mien-bindgen"]))
}

/// One at a time: Cargo unifies the features of packages that are compiled together, and the page would then include
/// the worker's networks.
pub(crate) fn compile(package: &str) -> anyhow::Result<()> {
    let mut cargo = workspace::cargo();
    process::succeed(cargo.args([
        "build",
        "--release",
        "--locked",
        "--target",
        workspace::WASM,
        "-p",
        package,
    ]))
}

/// Writes `NAME.js` and `NAME_bg.wasm` for a compiled package.
pub(crate) fn bind(
    package: &str,
    name: &str,
    folder: &Path,
    declarations: Declarations,
) -> anyhow::Result<()> {
    let mut bindgen = workspace::command(workspace::relay().with_file_name("mien-bindgen"));
    if declarations == Declarations::Written {
        bindgen.arg("--declarations");
    }
    process::succeed(bindgen.arg(module(package)?).arg(name).arg(folder))
}

/// A library's module has `_` in its name, a program's has `-`.
fn module(package: &str) -> anyhow::Result<PathBuf> {
    let release = workspace::target().join(workspace::WASM).join("release");
    let names = [package.replace('-', "_"), package.to_owned()];
    let mut files = names.iter().map(|name| release.join(name).with_extension("wasm"));
    files.find(|file| file.is_file()).with_context(|| format!("{package} built no module"))
}
