//! Reads `manifest.toml` and writes it as constants. Part of the build script; tests read other texts with it.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;

use serde::Deserialize;

#[derive(Deserialize)]
struct Manifest {
    model: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    file: String,
    bytes: u64,
    sha256: String,
    licence: String,
    labels: Vec<String>,
    input: Input,
}

#[derive(Deserialize)]
struct Input {
    shape: Vec<usize>,
}

/// Rust code that declares `MODELS`. A manifest by which no file could ever be loaded is refused.
pub(crate) fn constants(text: &str) -> Result<String, Box<dyn Error>> {
    let manifest: Manifest = toml::from_str(text)?;
    let mut code = format!(
        "/// Every model, in the order of the manifest.\npub const MODELS: [ModelInfo; {}] = [\n",
        manifest.model.len()
    );
    let mut known = BTreeSet::new();
    for model in &manifest.model {
        check(model).map_err(|why| format!("model {:?}: {why}", model.id))?;
        let variant = variant(&model.id).ok_or_else(|| format!("no model is called {:?}", model.id))?;
        if !known.insert(variant) {
            return Err(format!("model {:?} is listed twice", model.id).into());
        }
        let Model { file, bytes, sha256, licence, labels, input, .. } = model;
        writeln!(
            code,
            "    ModelInfo {{ id: ModelId::{variant}, file: {file:?}, bytes: {bytes}, sha256: {sha256:?}, \
             licence: {licence:?}, labels: &{labels:?}, input_shape: &{:?} }},",
            input.shape
        )?;
    }
    code.push_str("];\n");
    Ok(code)
}

fn check(model: &Model) -> Result<(), &'static str> {
    if model.file.is_empty() || model.file.contains(['/', '\\', '\0']) {
        return Err("its file must be a name in this folder");
    }
    if model.sha256.len() != 64 || !model.sha256.bytes().all(|digit| b"0123456789abcdef".contains(&digit)) {
        return Err("its hash must be 64 lower-case hexadecimal digits");
    }
    let values = model.input.shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
    if model.input.shape.is_empty() || values.is_none_or(|values| values == 0) {
        return Err("its input must hold at least one value, and no more than memory can");
    }
    Ok(())
}

fn variant(id: &str) -> Option<&'static str> {
    Some(match id {
        "near" => "Near",
        "far" => "Far",
        "expression" => "Expression",
        "landmarks" => "Landmarks",
        "blendshapes" => "Blendshapes",
        _ => return None,
    })
}
