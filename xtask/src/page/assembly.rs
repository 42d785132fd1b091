//! The page's folder as Trunk would assemble it: `index.html` without its links for Trunk, and beside it every file
//! that they name.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha384};

use super::links::{self, Kind, Link, Role};
use super::modules::{self, Declarations};

/// A crate of the page.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) package: String,
    pub(super) role: Role,
}

/// Those that a page refers to.
pub(super) fn modules(root: &Path, links: &[Link<'_>]) -> anyhow::Result<Vec<Module>> {
    let mut modules = Vec::new();
    for link in links {
        if let Kind::Rust { manifest, role } = link.kind {
            let text = read(&root.join(manifest))?;
            let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
            let package = name.with_context(|| format!("{manifest} names no package"))?.to_owned();
            modules.push(Module { package, role });
        }
    }
    Ok(modules)
}

/// Writes the compiled modules and their JavaScript.
pub(super) fn bind(modules: &[Module], folder: &Path) -> anyhow::Result<()> {
    for Module { package, .. } in modules {
        modules::bind(package, package, folder, Declarations::LeftOut)?;
    }
    Ok(())
}

/// Copies every file into the folder and writes the page that refers to them by their addresses.
pub(super) fn assemble(root: &Path, html: &str, modules: &[Module], folder: &Path) -> anyhow::Result<()> {
    let settings = read(&root.join("Trunk.toml"))?;
    let main = modules.iter().find(|module| module.role == Role::Main);
    let main = &main.context("index.html has no main crate")?.package;
    let (js, wasm) = (format!("{main}.js"), format!("{main}_bg.wasm"));
    let mut page = html.to_owned();
    for Link { text, kind } in links::links(html)? {
        let instead = match kind {
            Kind::Rust { role: Role::Main, .. } => links::pattern(&settings, "pattern_script", &js, &wasm)?,
            Kind::Rust { role: Role::Worker, .. } => String::new(),
            Kind::Loaded { file, rel } => {
                let content = copy(root, file, None, folder)?;
                let hash = STANDARD.encode(Sha384::digest(content));
                let name = name(file)?;
                format!("<link rel=\"{rel}\" href=\"/{name}\" integrity=\"sha384-{hash}\"/>")
            }
            Kind::Copied { file, folder: below } => {
                copy(root, file, below, folder)?;
                String::new()
            }
        };
        page = page.replacen(text, &instead, 1);
    }
    let preload = links::pattern(&settings, "pattern_preload", &js, &wasm)?;
    let Some((head, body)) = page.split_once("</head>") else { bail!("index.html has no head") };
    fs::write(folder.join("index.html"), format!("{head}{preload}</head>{body}"))?;
    Ok(())
}

fn copy(root: &Path, file: &str, below: Option<&str>, folder: &Path) -> anyhow::Result<Vec<u8>> {
    let from = root.join(file);
    let content = fs::read(&from).with_context(|| format!("could not read {}", from.display()))?;
    let into = below.map_or_else(|| folder.to_owned(), |below| folder.join(below));
    fs::create_dir_all(&into)?;
    fs::write(into.join(name(file)?), &content)?;
    Ok(content)
}

fn name(file: &str) -> anyhow::Result<&str> {
    let name = Path::new(file).file_name().and_then(|name| name.to_str());
    name.with_context(|| format!("{file} is no file"))
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{files, workspace};

    #[test]
    fn the_page_has_what_trunk_would_give_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = workspace::root();
        let html = read(&root.join("index.html")).unwrap();
        let modules = modules(root, &links::links(&html).unwrap()).unwrap();
        let packages: Vec<&str> = modules.iter().map(|module| &*module.package).collect();
        assert_eq!(packages, ["mien-app", "mien-worker"]);
        assemble(root, &html, &modules, folder.path()).unwrap();

        let page = read(&folder.path().join("index.html")).unwrap();
        assert!(!page.contains("data-trunk"), "{page}");
        let style = fs::read(root.join("web/app/styles/base.css")).unwrap();
        let hash = STANDARD.encode(Sha384::digest(style));
        for piece in [
            format!("<link rel=\"stylesheet\" href=\"/base.css\" integrity=\"sha384-{hash}\"/>"),
            "<link rel=\"icon\" href=\"/icon.svg\" integrity=\"".to_owned(),
            "<link rel=\"modulepreload\" href=\"/mien-app.js\">".to_owned(),
            "data-app-wasm=\"/mien-app_bg.wasm\"".to_owned(),
        ] {
            assert_eq!(page.matches(&piece).count(), 1, "{piece} in {page}");
        }
        let written = files::below(folder.path()).unwrap();
        for file in ["worker/boot.js", "boot.js", "demo.webm", "icon.svg", "models/human_blazeface_256.onnx"]
        {
            assert!(written.iter().any(|written| written == file), "{file} in {written:?}");
        }
    }
}
