//! Turns `weights/manifest.toml` into constants, so that the page knows files and hashes without a parser.

use std::fmt::Write as _;
use std::{env, error::Error, fs, path::Path};

use serde::Deserialize;

const MANIFEST: &str = "weights/manifest.toml";

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

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={MANIFEST}");
    println!("cargo::rerun-if-changed=build.rs");
    let manifest: Manifest = toml::from_str(&fs::read_to_string(MANIFEST)?)?;
    let mut code = format!(
        "/// Every model, in the order of the manifest.\npub const MODELS: [ModelInfo; {}] = [\n",
        manifest.model.len()
    );
    for Model { id, file, bytes, sha256, licence, labels, input } in manifest.model {
        let variant = match id.as_str() {
            "near" => "Near",
            "far" => "Far",
            "expression" => "Expression",
            "landmarks" => "Landmarks",
            "blendshapes" => "Blendshapes",
            _ => return Err(format!("{MANIFEST}: no model is called {id:?}").into()),
        };
        writeln!(
            code,
            "    ModelInfo {{ id: ModelId::{variant}, file: {file:?}, bytes: {bytes}, sha256: {sha256:?}, \
             licence: {licence:?}, labels: &{labels:?}, input_shape: &{:?} }},",
            input.shape
        )?;
    }
    code.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("models.rs"), code)?;
    Ok(())
}
