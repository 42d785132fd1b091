//! Files below a folder, and a fingerprint of them, to know whether a build would change anything.
//!
//! By content and not by time: a checkout that switches branches and back has old content with new times.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// Paths below the folder, with `/`, sorted.
pub(crate) fn below(folder: &Path) -> anyhow::Result<Vec<String>> {
    below_if(folder, &|_| true)
}

/// The same without files, and without folders and their contents, whose name is not accepted.
pub(crate) fn below_if(folder: &Path, accepts: &dyn Fn(&str) -> bool) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    walk(folder, "", accepts, &mut found)?;
    found.sort_unstable();
    Ok(found)
}

fn walk(
    folder: &Path,
    prefix: &str,
    accepts: &dyn Fn(&str) -> bool,
    found: &mut Vec<String>,
) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !accepts(&name) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &(path + "/"), accepts, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// Collects what a build depends on.
#[derive(Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    pub(crate) fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
    }

    /// A file, or every file below a folder. A missing path is part of the fingerprint as missing.
    pub(crate) fn path(&mut self, path: &Path) -> anyhow::Result<()> {
        if path.is_dir() {
            for name in below(path)? {
                self.text(&name);
                self.file(&path.join(name))?;
            }
        } else if path.is_file() {
            self.file(path)?;
        } else {
            self.text("missing");
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> anyhow::Result<()> {
        let content = fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
        self.0.update((content.len() as u64).to_le_bytes());
        self.0.update(content);
        Ok(())
    }

    pub(crate) fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_between_texts_count() {
        let of = |texts: &[&str]| {
            let mut fingerprint = Fingerprint::default();
            for text in texts {
                fingerprint.text(text);
            }
            fingerprint.finish()
        };
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    }
}
