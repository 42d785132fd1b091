//! The program, in a folder of its own and with no variables but those given.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

pub(crate) use mien_kit::relay::SECRET;

pub(crate) struct Program {
    pub(crate) folder: TempDir,
}

/// How it ended, and what it said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) well: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in the program's folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
        let mut command = Command::new(std::env::var_os("CARGO_BIN_EXE_mien-relay").unwrap());
        command.args(arguments).current_dir(self.path()).env_clear().envs(variables.iter().copied());
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { well: status.success(), out: text(stdout), err: text(stderr) }
    }
}

impl Said {
    /// What `check` prints of a setting.
    #[track_caller]
    pub(crate) fn in_force(&self, name: &str) -> &str {
        assert!(self.well, "{self:?}");
        let line = self.out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not listed: {self:?}")).trim()
    }

    #[track_caller]
    pub(crate) fn is_refusal(&self, words: &[&str]) -> &str {
        assert!(!self.well, "{self:?}");
        for words in words {
            assert!(self.err.contains(words), "{words}: {}", self.err);
        }
        &self.err
    }
}
