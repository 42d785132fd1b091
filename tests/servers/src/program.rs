//! Where the servers' programs are.

use std::path::{Path, PathBuf};

/// Debian keeps the Postgres programs off the path, in a folder per version.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";

/// The folder that contains `name`: Debian's newest version, or else one on the path.
pub(crate) fn postgres_folder(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir(POSTGRES_VERSIONS).ok();
    let newest = versions
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, folder)| folder.join(name).is_file())
        .max();
    newest.map(|(_, folder)| folder).or_else(|| on_path(name)?.parent().map(Path::to_owned))
}

pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// What to install.
pub(crate) fn advice(program: &str, package: &str) -> String {
    format!("`{program}` is missing; install it, for example with `apt-get install {package}`")
}
