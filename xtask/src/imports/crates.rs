//! The crates of the checkout, found as Cargo finds them: by the location of their roots, and what their manifests add.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Where Cargo looks for roots on its own, and for folders with a `main.rs`.
const CONVENTIONS: [&str; 4] = ["src/bin", "tests", "examples", "benches"];
const SINGLE: [&str; 2] = ["src/main.rs", "build.rs"];
const LIBRARY: &str = "src/lib.rs";

#[derive(Debug)]
pub(super) struct Crate {
    pub(super) root: PathBuf,
    /// The name by which other crates refer to it, if it is a library.
    pub(super) library: Option<String>,
}

/// The crates of every package among these files.
pub(super) fn crates(files: &[PathBuf]) -> anyhow::Result<Vec<Crate>> {
    let mut crates = Vec::new();
    for manifest in files.iter().filter(|file| file.file_name().is_some_and(|name| name == "Cargo.toml")) {
        let text =
            fs::read_to_string(manifest).with_context(|| format!("could not read {}", manifest.display()))?;
        let Some((_, package)) = text.split_once("[package]\n") else { continue };
        let folder = manifest.parent().unwrap_or(Path::new(""));
        let name = values(package, "name").next().context("a package has no name")?.replace('-', "_");
        let named: Vec<PathBuf> = values(&text, "path").map(|path| folder.join(path)).collect();
        for file in files {
            let Ok(path) = file.strip_prefix(folder) else { continue };
            let library = path == Path::new(LIBRARY);
            if library || is_root(path) || named.contains(file) {
                crates.push(Crate { root: file.clone(), library: library.then(|| name.clone()) });
            }
        }
    }
    Ok(crates)
}

fn is_root(path: &Path) -> bool {
    if path.extension().is_none_or(|extension| extension != "rs") {
        return false;
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let is_conventional = |folder: &Path| CONVENTIONS.iter().any(|known| folder == Path::new(known));
    SINGLE.iter().any(|known| path == Path::new(known))
        || is_conventional(folder)
        || path.ends_with("main.rs") && folder.parent().is_some_and(is_conventional)
}

/// The values of lines of the form `key = "value"`.
fn values<'a>(manifest: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    manifest.lines().filter_map(move |line| {
        line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim().strip_prefix('"')?.strip_suffix('"')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_where_cargo_finds_them() {
        for (path, expected) in [
            ("src/main.rs", true),
            ("build.rs", true),
            ("src/bin/tool.rs", true),
            ("src/bin/tool/main.rs", true),
            ("tests/suite.rs", true),
            ("tests/suite/main.rs", true),
            ("tests/suite/part.rs", false),
            ("src/part.rs", false),
            ("src/part/main.rs", false),
            ("tests/notes.md", false),
        ] {
            assert_eq!(is_root(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn only_whole_lines_of_a_manifest_are_read() {
        let manifest = "name = \"mien-it\"\nother = { path = \"x\" }\n[[bin]]\npath=\"src/it.rs\"\n";
        assert_eq!(values(manifest, "path").collect::<Vec<_>>(), ["src/it.rs"]);
        assert_eq!(values(manifest, "name").collect::<Vec<_>>(), ["mien-it"]);
    }
}
