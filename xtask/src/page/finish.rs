//! The last step of the page's build: modules lose their function names, and every file that `index.html` refers to
//! gets a name containing the hash of its content, so that the relay may tell browsers to cache it for ever.
//!
//! Both xtask's own build and Trunk's end with this step; Trunk calls it with the folder that it assembles. The
//! references are quoted addresses from the root (`"/boot.js"`), as Trunk.toml and Trunk write them; they become
//! addresses relative to the page's `<base>`, so that the page can be served under any path.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use super::wasm_names::without_names;
use crate::files::{self, hex};

const INDEX: &str = "index.html";
const HASH_DIGITS: usize = 16;
/// Is in the script by which `trunk serve` reloads its pages, and in no other page.
const SERVED_BY_TRUNK: &str = "{{__TRUNK_ADDRESS__}}";
/// The first of the boot script's own attributes.
const BOOT_ATTRIBUTES: &str = "data-app-js=";
/// Glue that wasm-bindgen writes for JavaScript snippets in crates; other glue imports it by its plain name.
const SNIPPETS: &str = "snippets";

/// `relay` is the address that the sockets of a page served by `trunk serve` connect to.
pub(crate) fn finish_page(relay: &str) -> anyhow::Result<()> {
    let folder = std::env::var_os("TRUNK_STAGING_DIR")
        .map(PathBuf::from)
        .context("finish-page is a hook for Trunk, which sets TRUNK_STAGING_DIR")?;
    finish(&folder, Some(relay))
}

/// `relay` is the address that the sockets of a page served by `trunk serve` connect to.
pub(super) fn finish(folder: &Path, relay: Option<&str>) -> anyhow::Result<()> {
    let index = folder.join(INDEX);
    let mut html =
        fs::read_to_string(&index).with_context(|| format!("could not read {}", index.display()))?;
    drop_unused_snippets(folder)?;
    drop_names(folder)?;
    for path in files::below(folder)? {
        let address = format!("\"/{path}\"");
        if html.contains(&address) {
            let hashed = hashed_name(&path, &fs::read(folder.join(&path))?);
            fs::rename(folder.join(&path), folder.join(&hashed))?;
            html = html.replace(&address, &format!("\"{hashed}\""));
        }
    }
    if let Some(relay) = relay.filter(|_| html.contains(SERVED_BY_TRUNK)) {
        html = html.replacen(BOOT_ATTRIBUTES, &format!("data-relay=\"{relay}\" {BOOT_ATTRIBUTES}"), 1);
    }
    check_references(&html, folder)?;
    fs::write(index, html)?;
    Ok(())
}

/// Trunk also copies what earlier builds left behind. Sources refer to a snippet by its path below `snippets`.
fn drop_unused_snippets(folder: &Path) -> anyhow::Result<()> {
    let all = files::below(folder)?;
    let mut sources = String::new();
    for path in all.iter().filter(|path| has_extension(path, "js")) {
        sources += &fs::read_to_string(folder.join(path))?;
    }
    for path in all.iter().filter(|path| path.starts_with(SNIPPETS)) {
        if !sources.contains(path.as_str()) {
            fs::remove_file(folder.join(path))?;
        }
    }
    Ok(())
}

fn drop_names(folder: &Path) -> anyhow::Result<()> {
    for path in files::below(folder)?.iter().filter(|path| has_extension(path, "wasm")) {
        let file = folder.join(path);
        fs::write(&file, without_names(&fs::read(&file)?).with_context(|| format!("in {path}"))?)?;
    }
    Ok(())
}

/// Every address in the page must be a file: a page that lacks one fails here and not in a visitor's browser.
fn check_references(html: &str, folder: &Path) -> anyhow::Result<()> {
    for attribute in ["src=\"", "href=\"", "data-"] {
        for (start, _) in html.match_indices(attribute) {
            let Some(value) = html[start..].split('"').nth(1) else { continue };
            if !value.contains('.') || value.contains("://") {
                continue;
            }
            if !folder.join(value).is_file() {
                bail!("index.html names {value}, which the build did not make");
            }
        }
    }
    Ok(())
}

/// `name.ext` or Trunk's `name-<hash>.ext` becomes `name-<16 digits>.ext`; wasm-bindgen's `_bg` stays last.
fn hashed_name(path: &str, content: &[u8]) -> String {
    let hash = hex(&Sha256::digest(content)[..HASH_DIGITS / 2]);
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let (stem, tail) = stem.strip_suffix("_bg").map_or((stem, ""), |stem| (stem, "_bg"));
    let stem = without_hash(stem);
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}{stem}-{hash}{tail}.{extension}")
}

/// Trunk's hash is a hexadecimal number without padding: up to 16 digits, rarely fewer than 12.
fn without_hash(stem: &str) -> &str {
    match stem.rsplit_once('-') {
        Some((name, hash))
            if (12..=HASH_DIGITS).contains(&hash.len())
                && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            name
        }
        _ => stem,
    }
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: &str = "http://127.0.0.1:8080";

    #[test]
    fn names_get_one_hash_in_the_right_place() {
        // The beginning of the SHA-256 of empty input.
        const EMPTY: &str = "e3b0c44298fc1c14";
        for (path, expected) in [
            ("boot.js", format!("boot-{EMPTY}.js")),
            ("worker/boot.js", format!("worker/boot-{EMPTY}.js")),
            ("mien-worker_bg.wasm", format!("mien-worker-{EMPTY}_bg.wasm")),
            ("mien-app-4b2c9d1e0f3a5b6c_bg.wasm", format!("mien-app-{EMPTY}_bg.wasm")),
            ("mien-app-b2c9d1e0f3a5b6c.js", format!("mien-app-{EMPTY}.js")),
            ("models/human_blazeface_256.onnx", format!("models/human_blazeface_256-{EMPTY}.onnx")),
            ("short-range.onnx", format!("short-range-{EMPTY}.onnx")),
        ] {
            assert_eq!(hashed_name(path, b""), expected);
        }
    }

    #[test]
    fn a_page_names_only_what_was_built() {
        let folder = workspace_folder("finish");
        fs::write(folder.join("boot.js"), "import './snippets/one/inline0.js'").unwrap();
        fs::create_dir_all(folder.join("snippets/one")).unwrap();
        fs::create_dir_all(folder.join("snippets/old")).unwrap();
        fs::write(folder.join("snippets/one/inline0.js"), "").unwrap();
        fs::write(folder.join("snippets/old/inline0.js"), "").unwrap();
        fs::write(folder.join(INDEX), "<base href=\"/\"><script src=\"/boot.js\" data-app-js=\"/boot.js\">")
            .unwrap();
        finish(&folder, None).unwrap();
        let left = files::below(&folder).unwrap();
        assert_eq!(left.len(), 3, "{left:?}");
        assert!(left[0].starts_with("boot-"), "{left:?}");
        let html = fs::read_to_string(folder.join(INDEX)).unwrap();
        assert_eq!(html.matches(&format!("=\"{}\"", left[0])).count(), 2, "relative: {html}");
        assert!(html.starts_with("<base href=\"/\">"), "{html}");

        fs::write(folder.join(INDEX), "<script data-worker-js=\"/missing.js\">").unwrap();
        assert!(finish(&folder, None).unwrap_err().to_string().contains("/missing.js"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn sockets_go_elsewhere_only_from_a_page_that_trunk_serves() {
        let folder = workspace_folder("relay");
        let boot = "<script src=\"/boot.js\" data-app-js=\"/app.js\"></script>";
        for (page, expected) in [(boot.to_owned(), 0), (format!("{boot}<script>{SERVED_BY_TRUNK}"), 1)] {
            for file in ["boot.js", "app.js"] {
                fs::write(folder.join(file), "").unwrap();
            }
            fs::write(folder.join(INDEX), page).unwrap();
            finish(&folder, Some(RELAY)).unwrap();
            let html = fs::read_to_string(folder.join(INDEX)).unwrap();
            assert_eq!(html.matches("data-relay=\"http://127.0.0.1:8080\" data-app-js=").count(), expected);
            assert_eq!(html.matches("data-relay").count(), expected);
        }
        fs::remove_dir_all(folder).unwrap();
    }

    fn workspace_folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("mien-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }
}
