//! Turns `weights/manifest.toml` into constants, so that the page knows files and hashes without a parser.

use std::{env, error::Error, fs, path::Path};

#[path = "weights/manifest.rs"]
mod manifest;

const MANIFEST: &str = "weights/manifest.toml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={MANIFEST}");
    println!("cargo::rerun-if-changed=weights/manifest.rs");
    println!("cargo::rerun-if-changed=build.rs");
    let code = manifest::constants(&fs::read_to_string(MANIFEST)?)
        .map_err(|cause| format!("{MANIFEST}: {cause}"))?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("models.rs"), code)?;
    Ok(())
}
