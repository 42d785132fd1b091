//! Writes the JavaScript that loads a module compiled for wasm-bindgen, and the module that it loads.
//!
//! Does the same as `wasm-bindgen --target web`. xtask calls it as a program, so that xtask compiles without
//! wasm-bindgen.

use std::ffi::OsString;

use anyhow::Context as _;
use wasm_bindgen_cli_support::Bindgen;

const USAGE: &str = "mien-bindgen [--declarations] MODULE NAME FOLDER";

fn main() -> anyhow::Result<()> {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let declarations = arguments.first().is_some_and(|first| first == "--declarations");
    if declarations {
        arguments.remove(0);
    }
    let [module, name, folder] = &arguments[..] else { anyhow::bail!("usage: {USAGE}") };
    let name = name.to_str().context("NAME is not UTF-8")?;
    // The library leaves the module's own address out of `init`; the command line tool, which is documented, does not
    // (0.2.130).
    Bindgen::new()
        .web(true)?
        .omit_default_module_path(false)
        .typescript(declarations)
        .input_path(module)
        .out_name(name)
        .generate(folder)
}
