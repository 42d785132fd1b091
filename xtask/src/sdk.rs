//! `cargo xtask sdk`: the npm package for embedders.
//!
//! wasm-pack builds the engine's side; the worker and the models are laid beside it under the plain names that
//! the engine looks for (`Assets::under`). What wasm-bindgen writes is then made fit for bundlers and compilers: an
//! entry of our own, a worker that is one file, and declarations that every strict compiler takes.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::tools::{self, Toolbox};
use crate::{names, process, workspace};

const WASM: &str = "wasm32-unknown-unknown";
const ENTRY: &str = "mien_sdk.js";
/// Where wasm-bindgen's own entry goes; ours imports it from there.
const BINDINGS: &str = "bindings.js";
const DECLARATIONS: &str = "mien_sdk.d.ts";
const WORKER: &str = "mien-worker.js";
/// What wasm-pack does not name in the manifest.
const OURS: [&str; 4] = [BINDINGS, "place.js", WORKER, "mien-worker_bg.wasm"];
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
    let sources = root.join("web/sdk/src");
    fs::rename(package.join(ENTRY), package.join(BINDINGS)).context("wasm-bindgen wrote no entry")?;
    copy(&sources.join("entry.js"), &package.join(ENTRY))?;
    copy(&sources.join("place.js"), &package.join("place.js"))?;
    append(&sources.join("worker.js"), &package.join(WORKER))?;
    let declarations = package.join(DECLARATIONS);
    fs::write(&declarations, with_plain_names(&fs::read_to_string(&declarations)?)?)?;
    // Of a package that was built before.
    drop(fs::remove_file(package.join("boot.js")));
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
        OURS.iter().chain(&MODELS).fold(String::new(), |text, name| text + &format!("    \"{name}\",\n"));
    fs::write(manifest, format!("{before}{LIST}{ours}{after}"))?;
    Ok(())
}

/// The worker starts by itself: bundlers carry single files along, so there is none before it.
fn append(tail: &Path, glue: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(glue)?;
    if !(text.contains("async function __wbg_init(") && text.contains("export function serve(")) {
        bail!("wasm-bindgen's worker has not the functions that {} calls", tail.display());
    }
    Ok(fs::write(glue, text + &fs::read_to_string(tail)?)?)
}

/// wasm-bindgen declares `[Symbol.dispose]` in every class, which only compilers with `esnext.disposable` know. What
/// extends `MienDisposable` has it there, and nowhere else.
fn with_plain_names(declarations: &str) -> anyhow::Result<String> {
    const DISPOSE: &str = "    [Symbol.dispose](): void;\n";
    let text = declarations.replace(DISPOSE, "");
    if text.contains("Symbol.dispose") {
        bail!("wasm-bindgen declares Symbol.dispose in another way than {DISPOSE:?}");
    }
    let disposable = text
        .lines()
        .filter_map(|line| line.strip_prefix("export class ")?.strip_suffix(" {"))
        .fold(String::new(), |all, class| {
            all + &format!("\nexport interface {class} extends MienDisposable {{}}\n")
        });
    Ok(text + &disposable)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("could not copy {} to {}", from.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_disposable_without_naming_the_symbol() {
        let written = "export class Run {\n    free(): void;\n    [Symbol.dispose](): void;\n}\n";
        let expected =
            "export class Run {\n    free(): void;\n}\n\nexport interface Run extends MienDisposable {}\n";
        assert_eq!(with_plain_names(written).unwrap(), expected);
        assert!(with_plain_names("  [Symbol.dispose]: () => void;").is_err());
    }
}
