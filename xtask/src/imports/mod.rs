//! `cargo xtask imports`: dependencies between files only point down.
//!
//! Reads every Rust file of the checkout, without code that only tests compile, and fails if files depend on each other
//! in a cycle. A `mod` is a dependency like an import: what a parent and its children share lies in a file below both.

mod circles;
mod crates;
mod modules;
mod sizes;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::bail;

use self::modules::{Arrow, FileId, Tree};
use crate::{files, workspace};

/// Folders that contain nothing of ours, or nothing that is committed.
const OTHERS: [&str; 4] = ["target", "node_modules", "pkg", "dist"];

/// What each file needs from which other file.
type Graph = BTreeMap<(FileId, FileId), BTreeSet<String>>;

pub(crate) fn check() -> anyhow::Result<()> {
    let files = sources(workspace::root())?;
    let tree = Tree::read(&crates::crates(&files)?)?;
    let shown: Vec<String> = tree.files.iter().map(|file| relative(file)).collect();
    sizes::show(&files.iter().map(|file| relative(file)).collect::<Vec<_>>(), &shown)?;

    let mut graph = Graph::new();
    for Arrow { from, to, name } in tree.arrows() {
        graph.entry((from, to)).or_default().insert(name);
    }
    let mut arrows = vec![BTreeSet::new(); shown.len()];
    for &(from, to) in graph.keys() {
        arrows[from].insert(to);
    }
    let circles = circles::circles(&arrows);
    for (place, circle) in circles.iter().enumerate() {
        println!("\n{}", described(place + 1, circle, &graph, &shown));
    }
    println!("{} files, {} arrows, {} circles", shown.len(), graph.len(), circles.len());
    if !circles.is_empty() {
        bail!("{} circles of imports between files", circles.len());
    }
    Ok(())
}

fn described(number: usize, circle: &[FileId], graph: &Graph, shown: &[String]) -> String {
    let mut text = format!("circle {number}: {} files", circle.len());
    let mut lines: Vec<String> = graph
        .iter()
        .filter(|((from, to), _)| circle.contains(from) && circle.contains(to))
        .map(|((from, to), names)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("\n  {} -> {}: {}", shown[*from], shown[*to], names.join(", "))
        })
        .collect();
    lines.sort();
    text.extend(lines);
    text
}

/// All files of the checkout that may be Rust or say where Rust files are.
fn sources(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_ours = |name: &str| !name.starts_with('.') && !OTHERS.contains(&name);
    let found = files::below_if(root, &is_ours)?;
    Ok(found.iter().map(|file| root.join(file)).collect())
}

fn relative(file: &Path) -> String {
    file.strip_prefix(workspace::root()).unwrap_or(file).display().to_string()
}
