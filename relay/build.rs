//! Puts the built page and the databases' schemas into the binary.
//!
//! Of the page it takes what lies in `dist/` (or `MIEN_DIST`), compresses it with Brotli and writes a table of the
//! files to `OUT_DIR/assets.rs`. Without a built page the table is empty and the relay says how to build one:
//! a plain `cargo build` must never need the page.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

/// Stands in the script by which `trunk serve` reloads its pages; they may talk to addresses of their own.
const SERVED_BY_TRUNK: &str = "{{__TRUNK_ADDRESS__}}";
/// Up to here the best quality costs about two seconds; above it, minutes.
const BEST_QUALITY_BYTES: usize = 1_000_000;
const BEST_QUALITY: u32 = 11;
const LARGE_QUALITY: u32 = 9;
/// Below this a file fits one packet anyway.
const MIN_BYTES: usize = 512;

/// Each a folder of files such as `0001_the_first_change.sql`.
const MIGRATIONS: &str = "src/store/migrations";

struct Asset {
    /// Path below the page's root, with `/` between folders.
    path: String,
    file: PathBuf,
    hash: String,
    length: usize,
    brotli: Option<PathBuf>,
}

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={MIGRATIONS}");
    println!("cargo::rerun-if-env-changed=MIEN_DIST");
    let out = PathBuf::from(variable("OUT_DIR")?);
    fs::write(
        out.join("migrations.rs"),
        migrations(&Path::new(&variable("CARGO_MANIFEST_DIR")?).join(MIGRATIONS))?,
    )?;
    let dist = if let Some(dist) = std::env::var_os("MIEN_DIST") {
        PathBuf::from(dist)
    } else {
        let dist = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../dist");
        // Cargo takes a missing path for a changed one and would build the relay anew each time. The folder
        // is ignored by git and Trunk makes its own; a read-only tree only costs that rebuild.
        if fs::create_dir(&dist).is_ok() {
            // Nor may it be newer than this run.
            let _ = fs::File::open(&dist).and_then(|folder| folder.set_modified(SystemTime::UNIX_EPOCH));
        }
        dist
    };
    println!("cargo::rerun-if-changed={}", dist.display());

    let mut files = Vec::new();
    // A page without its index is a build that was cut off.
    let index = fs::read_to_string(dist.join("index.html")).unwrap_or_default();
    if index.contains(SERVED_BY_TRUNK) {
        println!(
            "cargo::warning=dist/ holds a page that `trunk serve` made, which is left out: `cargo xtask run` makes the real one"
        );
    } else if !index.is_empty() {
        walk(&dist, "", &mut files)?;
    }
    files.sort();
    let cache = out.join("brotli");
    fs::create_dir_all(&cache)?;
    let assets =
        files.into_iter().map(|(path, file)| asset(path, file, &cache)).collect::<io::Result<Vec<_>>>()?;
    forget_unused(&cache, &assets)?;
    fs::write(out.join("assets.rs"), table(&assets))
}

fn variable(name: &str) -> io::Result<String> {
    std::env::var(name).map_err(|_| io::Error::other(format!("cargo did not set {name}")))
}

/// Names that begin with a dot are Trunk's workshop, not the page.
fn walk(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.push((path, fs::canonicalize(entry.path())?));
        }
    }
    Ok(())
}

fn asset(path: String, file: PathBuf, cache: &Path) -> io::Result<Asset> {
    let bytes = fs::read(&file)?;
    let hash = hex(&Sha256::digest(&bytes)[..8]);
    let brotli = compress(&bytes, &hash, &path, cache)?;
    Ok(Asset { path, file, hash, length: bytes.len(), brotli })
}

/// The compressed form, kept under hash and quality so that an unchanged file is compressed once.
/// `None` where compressing does not pay.
fn compress(bytes: &[u8], hash: &str, path: &str, cache: &Path) -> io::Result<Option<PathBuf>> {
    // Nobody downloads a debug build, and its build script is too slow to compress anything.
    let debug = std::env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    if debug || bytes.len() < MIN_BYTES || already_compressed(path) {
        return Ok(None);
    }
    let quality = if bytes.len() <= BEST_QUALITY_BYTES { BEST_QUALITY } else { LARGE_QUALITY };
    let kept = cache.join(format!("{hash}-{quality}.br"));
    if !kept.is_file() {
        // 24 bits of window: the largest that every browser takes.
        let mut writer = brotli::CompressorWriter::new(Vec::new(), 64 * 1024, quality, 24);
        writer.write_all(bytes)?;
        let unfinished = kept.with_extension("part");
        fs::write(&unfinished, writer.into_inner())?;
        fs::rename(&unfinished, &kept)?;
    }
    let pays = fs::metadata(&kept)?.len() < bytes.len() as u64 / 20 * 19;
    Ok(pays.then_some(kept))
}

fn already_compressed(path: &str) -> bool {
    let extension = path.rsplit('.').next().unwrap_or_default();
    ["png", "jpg", "jpeg", "webp", "avif", "gif", "mp4", "webm", "woff2", "br", "gz"].contains(&extension)
}

fn forget_unused(cache: &Path, assets: &[Asset]) -> io::Result<()> {
    for entry in fs::read_dir(cache)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !assets.iter().any(|asset| name.starts_with(&asset.hash)) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn table(assets: &[Asset]) -> String {
    let mut text = format!("static BUILT: [Asset; {}] = [\n", assets.len());
    for Asset { path, file, hash, length, brotli } in assets {
        // Writing to a String has no way to fail.
        let _ = match brotli {
            None => writeln!(text, "Asset::plain({path:?}, {hash:?}, {}),", include(file)),
            Some(packed) => {
                writeln!(text, "Asset::packed({path:?}, {hash:?}, {length}, {}),", include(packed))
            }
        };
    }
    text.push_str("];\n");
    text
}

/// Cargo's paths are UTF-8, so nothing is lost.
fn include(file: &Path) -> String {
    format!("include_bytes!({:?})", file.to_string_lossy())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A table for each database, in the order of their numbers.
fn migrations(folder: &Path) -> io::Result<String> {
    let mut text = String::new();
    for database in ["sqlite", "postgres"] {
        let mut files = Vec::new();
        walk(&folder.join(database), "", &mut files)?;
        files.sort();
        let name = database.to_uppercase();
        let _ = writeln!(text, "const {name}: &[File] = &[");
        for (file, path) in files {
            let parts = file.strip_suffix(".sql").and_then(|stem| stem.split_once('_'));
            let unknown = || io::Error::other(format!("{file} is not named NUMBER_WORDS.sql"));
            let (number, words) = parts.ok_or_else(unknown)?;
            let version: i64 = number.parse().map_err(|_| unknown())?;
            let words = words.replace('_', " ");
            let path = path.to_str().ok_or_else(unknown)?;
            let _ = writeln!(
                text,
                "    File {{ version: {version}, description: {words:?}, sql: include_str!({path:?}) }},"
            );
        }
        text.push_str("];\n");
    }
    Ok(text)
}
