//! The module tree of every crate, over the files that contain them, and what a path in one of them refers to.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::crates::Crate;
use super::tokens::{self, Contents, Declared, GLOB, Import};

/// Renames of renames are followed up to this depth.
const MOST_RENAMES: usize = 8;

pub(super) type FileId = usize;
type ModuleId = usize;

#[derive(Debug, Default)]
pub(super) struct Tree {
    /// By their place, as an arrow names them.
    pub(super) files: Vec<PathBuf>,
    modules: Vec<Module>,
    /// Roots of libraries, by the name that code calls them.
    libraries: HashMap<String, ModuleId>,
}

#[derive(Debug)]
struct Module {
    file: FileId,
    parent: Option<ModuleId>,
    root: ModuleId,
    children: HashMap<String, ModuleId>,
    imports: Vec<Import>,
    paths: Vec<Vec<String>>,
}

/// One file needs another; with the name that it needs.
#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) from: FileId,
    pub(super) to: FileId,
    pub(super) name: String,
}

/// What a path refers to.
enum Target {
    Module(ModuleId),
    /// Something that a module defines or re-exports.
    Item(ModuleId, String),
}

impl Tree {
    pub(super) fn read(crates: &[Crate]) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        for Crate { root, library } in crates {
            let id = tree.file(root, None)?;
            if let Some(name) = library {
                tree.libraries.insert(name.clone(), id);
            }
        }
        Ok(tree)
    }

    /// A module that is a file, with everything below it.
    fn file(&mut self, path: &Path, parent: Option<ModuleId>) -> anyhow::Result<ModuleId> {
        let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
        let contents = tokens::read(&text).with_context(|| format!("{} is not Rust", path.display()))?;
        // A crate's root and `mod.rs` have their children beside them, others in a folder named after them.
        let folder = path.parent().unwrap_or(Path::new(""));
        let children = if parent.is_none() || path.file_name().is_some_and(|name| name == "mod.rs") {
            folder.to_owned()
        } else {
            path.with_extension("")
        };
        let file = self.files.iter().position(|known| known == path).unwrap_or_else(|| {
            self.files.push(path.to_owned());
            self.files.len() - 1
        });
        self.module(file, parent, contents, &Folders { of_file: folder.to_owned(), children })
    }

    fn module(
        &mut self,
        file: FileId,
        parent: Option<ModuleId>,
        contents: Contents,
        folders: &Folders,
    ) -> anyhow::Result<ModuleId> {
        let Contents { modules, imports, paths } = contents;
        let id = self.modules.len();
        let root = parent.map_or(id, |parent| self.modules[parent].root);
        self.modules.push(Module { file, parent, root, children: HashMap::new(), imports, paths });
        for Declared { name, path, inline } in modules {
            let child = match inline {
                Some(contents) => {
                    let below = folders.children.join(&name);
                    let folders = Folders { of_file: below.clone(), children: below };
                    self.module(file, Some(id), contents, &folders)?
                }
                None => match folders.find(&name, path.as_deref()) {
                    Some(path) => self.file(&path, Some(id))?,
                    // Made by a macro, or generated.
                    None => continue,
                },
            };
            self.modules[id].children.insert(name, child);
        }
        Ok(id)
    }

    /// Every import, every path in code and every `mod` from one file to another.
    pub(super) fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (id, module) in self.modules.iter().enumerate() {
            let mut point = |to: ModuleId, name: String| {
                let (from, to) = (module.file, self.modules[to].file);
                if from != to {
                    arrows.push(Arrow { from, to, name });
                }
            };
            for (name, &child) in &module.children {
                point(child, format!("mod {name}"));
            }
            for import in &module.imports {
                match self.find(id, &import.path, 0) {
                    Some(Target::Item(to, name)) => point(to, name),
                    // What is used of it through its name is among the paths.
                    Some(Target::Module(to)) if import.is_public => point(to, import.alias.clone()),
                    Some(Target::Module(_)) | None => {}
                }
            }
            for path in &module.paths {
                if let Some(Target::Item(to, name)) = self.find(id, path, 0) {
                    point(to, name);
                }
            }
        }
        arrows
    }

    fn find(&self, from: ModuleId, path: &[String], renames: usize) -> Option<Target> {
        let (first, mut rest) = path.split_first()?;
        let mut module = match &**first {
            "crate" => self.modules[from].root,
            "self" => from,
            "super" => self.modules[from].parent?,
            name => match self.enter(from, name, renames) {
                Some(module) => module,
                None => *self.libraries.get(name)?,
            },
        };
        while let Some((segment, after)) = rest.split_first() {
            let next = if segment == "super" {
                self.modules[module].parent
            } else {
                self.enter(module, segment, renames)
            };
            match next {
                Some(next) => module = next,
                None => return Some(Target::Item(module, segment.clone())),
            }
            rest = after;
        }
        Some(Target::Module(module))
    }

    /// A module that has this name in another: its child, or one that it imports.
    fn enter(&self, module: ModuleId, name: &str, renames: usize) -> Option<ModuleId> {
        let Module { children, imports, .. } = &self.modules[module];
        if let Some(child) = children.get(name) {
            return Some(*child);
        }
        if renames == MOST_RENAMES || name == GLOB {
            return None;
        }
        let mut named = imports.iter().filter(|import| import.alias == name);
        named.find_map(|import| match self.find(module, &import.path, renames + 1) {
            Some(Target::Module(module)) => Some(module),
            Some(Target::Item(..)) | None => None,
        })
    }
}

/// Where the files of a module's children are searched for.
struct Folders {
    /// What `#[path]` is relative to.
    of_file: PathBuf,
    children: PathBuf,
}

impl Folders {
    fn find(&self, name: &str, path: Option<&str>) -> Option<PathBuf> {
        let candidates = match path {
            Some(path) => vec![normal(&self.of_file.join(path))],
            None => vec![self.children.join(format!("{name}.rs")), self.children.join(name).join("mod.rs")],
        };
        candidates.into_iter().find(|path| path.is_file())
    }
}

/// Without `..`, so that each file has only one path.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        if part == std::path::Component::ParentDir {
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a crate and returns its arrows as `from -> to: name`, sorted.
    fn arrows(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut crates =
            vec![Crate { root: folder.path().join("lib.rs"), library: Some("mien_it".to_owned()) }];
        let main = folder.path().join("main.rs");
        crates.extend(main.is_file().then_some(Crate { root: main, library: None }));
        let tree = Tree::read(&crates).unwrap();
        let shown =
            |file: FileId| tree.files[file].strip_prefix(folder.path()).unwrap().display().to_string();
        let mut arrows: Vec<String> = tree
            .arrows()
            .iter()
            .map(|Arrow { from, to, name }| format!("{} -> {}: {name}", shown(*from), shown(*to)))
            .collect();
        arrows.sort();
        arrows.dedup();
        arrows
    }

    #[test]
    fn a_path_leads_to_the_file_that_holds_the_name() {
        let found = arrows(&[
            ("lib.rs", "pub mod a; mod b;"),
            ("a/mod.rs", "mod c; mod d { pub fn inner() { super::c::go() } } pub use self::c::Cee;"),
            (
                "a/c.rs",
                "use crate::b; use super::super::b::{Bee as Other, more::*}; pub fn go() { b::f(); b::g::<u8>() }",
            ),
            ("b.rs", "mod more; pub fn f() {}"),
            ("b/more.rs", ""),
            ("main.rs", "use mien_it::{a::{self, Cee}}; fn main() { a::unseen(); std::fmt::x() }"),
        ]);
        let expected = [
            "a/c.rs -> b.rs: Bee",
            "a/c.rs -> b.rs: f",
            "a/c.rs -> b.rs: g",
            "a/c.rs -> b/more.rs: *",
            "a/mod.rs -> a/c.rs: Cee",
            "a/mod.rs -> a/c.rs: go",
            "a/mod.rs -> a/c.rs: mod c",
            "b.rs -> b/more.rs: mod more",
            "lib.rs -> a/mod.rs: mod a",
            "lib.rs -> b.rs: mod b",
            "main.rs -> a/mod.rs: Cee",
            "main.rs -> a/mod.rs: unseen",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_module_that_is_only_passed_through_is_not_needed() {
        let found = arrows(&[
            ("lib.rs", "mod a; mod e;"),
            ("a/mod.rs", "pub mod b; pub use crate::e as renamed;"),
            ("a/b.rs", "use crate::a; use a::renamed::Eee; fn f() { a::b::g(); a::renamed::h() }"),
            ("e.rs", ""),
        ]);
        assert!(!found.iter().any(|arrow| arrow.starts_with("a/b.rs -> a/mod.rs")), "{found:?}");
        for arrow in ["a/b.rs -> e.rs: Eee", "a/b.rs -> e.rs: h", "a/mod.rs -> e.rs: renamed"] {
            assert!(found.iter().any(|found| found == arrow), "{arrow} in {found:?}");
        }
    }

    #[test]
    fn a_file_that_two_crates_hold_is_one() {
        let found = arrows(&[
            ("lib.rs", "#[path = \"x/../shared.rs\"] mod shared;"),
            ("shared.rs", "pub fn f() {}"),
            ("main.rs", "#[path = \"shared.rs\"] mod shared; fn main() { shared::f() }"),
        ]);
        let expected = [
            "lib.rs -> shared.rs: mod shared",
            "main.rs -> shared.rs: f",
            "main.rs -> shared.rs: mod shared",
        ];
        assert_eq!(found, expected);
    }
}
