//! `cargo xtask sdk`: the npm package for embedders.
//!
//! wasm-pack builds the engine's side; the worker and the models are laid beside it under the plain names that
//! the engine looks for (`Assets::under`).

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::tools::{self, Toolbox};
use crate::{names, process, workspace};

const WASM: &str = "wasm32-unknown-unknown";
const WORKER: [&str; 3] = ["boot.js", "mien-worker.js", "mien-worker_bg.wasm"];
/// npm takes these along unasked.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
const MODELS: [&str; 3] =
    ["mediapipe_face_detection_short_range.onnx", "human_blazeface_256.onnx", "faceapi_expression_112.onnx"];

pub(crate) fn build() -> anyhow::Result<()> {
    build_with(&tools::ensure(tools::ALL)?)
}

pub(crate) fn build_with(toolbox: &Toolbox) -> anyhow::Result<()> {
    let package = workspace::root().join("web/sdk/pkg");
    let mut wasm_pack = toolbox.command(toolbox.program(tools::WASM_PACK, "wasm-pack"))?;
    wasm_pack.args(["build", "web/sdk", "--target", "web", "--mode", "no-install", "--release"]);
    process::succeed(&mut wasm_pack)?;

    process::succeed(workspace::cargo().args([
        "build",
        "--release",
        "--locked",
        "--target",
        WASM,
        "-p",
        "mien-worker",
    ]))?;
    let release = workspace::target().join(WASM).join("release");
    let worker = ["mien_worker.wasm", "mien-worker.wasm"].map(|name| release.join(name));
    let worker = worker.iter().find(|file| file.is_file()).context("the worker built no module")?;
    let mut bindgen = toolbox.command(toolbox.program(tools::WASM_BINDGEN, "wasm-bindgen"))?;
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", "mien-worker", "--out-dir"]);
    process::succeed(bindgen.arg(&package).arg(worker))?;

    for module in ["mien_sdk_bg.wasm", "mien-worker_bg.wasm"] {
        let module = package.join(module);
        fs::write(&module, names::without_names(&fs::read(&module)?)?)?;
    }

    let root = workspace::root();
    copy(&root.join("web/worker/boot.js"), &package.join("boot.js"))?;
    for model in MODELS {
        copy(&root.join("models/weights").join(model), &package.join(model))?;
    }
    for licence in LICENCES {
        copy(&root.join(licence), &package.join(licence))?;
    }
    name_in_manifest(&package.join("package.json"))?;
    eprintln!("[sdk] the package is in {}", package.display());
    Ok(())
}

/// npm packs what `files` names, and wasm-pack knows only of its own.
fn name_in_manifest(manifest: &Path) -> anyhow::Result<()> {
    const LIST: &str = "\"files\": [\n";
    let text = fs::read_to_string(manifest)?;
    let (before, after) = text.split_once(LIST).context("package.json has no list of files")?;
    let ours =
        WORKER.iter().chain(&MODELS).fold(String::new(), |text, name| text + &format!("    \"{name}\",\n"));
    fs::write(manifest, format!("{before}{LIST}{ours}{after}"))?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("could not copy {} to {}", from.display(), to.display()))
}
