//! `cargo xtask sdk`: the npm package for embedders.
//!
//! The engine's library, with the worker and the models beside it under the plain names that the engine looks for
//! (`Assets::under`). wasm-bindgen's output is adapted for bundlers and compilers: an entry of our own, a worker that
//! is one file, and declarations that every strict compiler accepts.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::install::rust;
use crate::page::modules::{self, Declarations};
use crate::page::wasm_names;
use crate::workspace;

const ENTRY: &str = "mien_sdk.js";
/// Where wasm-bindgen's own entry is written; ours imports it from there.
const BINDINGS: &str = "bindings.js";
const DECLARATIONS: &str = "mien_sdk.d.ts";
const WORKER: &str = "mien-worker.js";
/// What npm packs, besides the models.
const PACKED: [&str; 7] =
    [BINDINGS, "place.js", WORKER, "mien-worker_bg.wasm", "mien_sdk_bg.wasm", ENTRY, DECLARATIONS];
/// npm includes these without being asked.
const ABOUT: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "web/sdk/README.md"];
const MODELS: [&str; 5] = [
    "mediapipe_face_detection_short_range.onnx",
    "human_blazeface_256.onnx",
    "faceapi_expression_112.onnx",
    "mediapipe_face_landmarks_256.onnx",
    "mediapipe_face_blendshapes.onnx",
];

pub(crate) fn build() -> anyhow::Result<()> {
    rust::ensure()?;
    let root = workspace::root();
    let package = root.join("web/sdk/pkg");
    // From a package built earlier.
    if package.exists() {
        fs::remove_dir_all(&package)?;
    }
    fs::create_dir_all(&package)?;
    modules::build_bindgen()?;
    for (name, out, declarations) in [
        ("mien-sdk", "mien_sdk", Declarations::Written),
        ("mien-worker", "mien-worker", Declarations::LeftOut),
    ] {
        modules::compile(name)?;
        modules::bind(name, out, &package, declarations)?;
    }
    for module in ["mien_sdk_bg.wasm", "mien-worker_bg.wasm"] {
        let module = package.join(module);
        fs::write(&module, wasm_names::without_names(&fs::read(&module)?)?)?;
    }

    let sources = root.join("web/sdk/src");
    fs::rename(package.join(ENTRY), package.join(BINDINGS)).context("wasm-bindgen wrote no entry")?;
    copy(&sources.join("entry.js"), &package)?;
    fs::rename(package.join("entry.js"), package.join(ENTRY))?;
    copy(&sources.join("place.js"), &package)?;
    append(&sources.join("worker.js"), &package.join(WORKER))?;
    let declarations = package.join(DECLARATIONS);
    fs::write(&declarations, with_plain_names(&fs::read_to_string(&declarations)?)?)?;
    for model in MODELS {
        copy(&root.join("models/weights").join(model), &package)?;
    }
    for file in ABOUT {
        copy(&root.join(file), &package)?;
    }
    let cargo = fs::read_to_string(root.join("web/sdk/Cargo.toml"))?;
    fs::write(package.join("package.json"), manifest(&cargo)?)?;
    eprintln!("[sdk] the package is in {}", package.display());
    Ok(())
}

/// npm's manifest, derived from Cargo's.
fn manifest(cargo: &str) -> anyhow::Result<String> {
    let description = cargo.lines().find_map(|line| line.strip_prefix("description = \"")?.strip_suffix('"'));
    let description = description.context("web/sdk/Cargo.toml has no description")?;
    let files: Vec<String> = PACKED.iter().chain(&MODELS).map(|name| format!("    \"{name}\"")).collect();
    Ok(format!(
        "{{
  \"name\": \"mien-sdk\",
  \"type\": \"module\",
  \"description\": \"{description}\",
  \"version\": \"{}\",
  \"license\": \"{}\",
  \"files\": [
{}
  ],
  \"main\": \"{ENTRY}\",
  \"types\": \"{DECLARATIONS}\",
  \"sideEffects\": [
    \"./snippets/*\"
  ]
}}
",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_LICENSE"),
        files.join(",\n"),
    ))
}

/// The worker starts itself: bundlers only carry single files along, so no other script can start it.
fn append(tail: &Path, glue: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(glue)?;
    if !(text.contains("async function __wbg_init(") && text.contains("export function serve(")) {
        bail!("wasm-bindgen's worker has not the functions that {} calls", tail.display());
    }
    Ok(fs::write(glue, text + &fs::read_to_string(tail)?)?)
}

/// wasm-bindgen declares `[Symbol.dispose]` in every class, which only compilers with `esnext.disposable` know. Classes
/// that extend `MienDisposable` get it from there, and only from there.
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

fn copy(file: &Path, into: &Path) -> anyhow::Result<()> {
    let name = file.file_name().with_context(|| format!("{} is no file", file.display()))?;
    fs::copy(file, into.join(name)).map(drop).with_context(|| format!("could not copy {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npm_is_told_what_to_pack() {
        let manifest = manifest("name = \"mien-sdk\"\ndescription = \"For tests\"\n").unwrap();
        for piece in [
            "\"description\": \"For tests\",",
            "    \"mien_sdk.js\",",
            "    \"faceapi_expression_112.onnx\",\n",
            "    \"mediapipe_face_blendshapes.onnx\"\n",
        ] {
            assert!(manifest.contains(piece), "{piece} in {manifest}");
        }
        assert!(super::manifest("").is_err());
    }

    #[test]
    fn classes_are_disposable_without_naming_the_symbol() {
        let written = "export class Run {\n    free(): void;\n    [Symbol.dispose](): void;\n}\n";
        let expected =
            "export class Run {\n    free(): void;\n}\n\nexport interface Run extends MienDisposable {}\n";
        assert_eq!(with_plain_names(written).unwrap(), expected);
        assert!(with_plain_names("  [Symbol.dispose]: () => void;").is_err());
    }
}
