//! Who runs a server.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Who runs a server that refuses to be run by root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// The first of `names` that this machine knows; `None` where we are not root.
    pub(crate) fn instead_of_root(names: &[&str]) -> Option<Self> {
        if !rustix::process::getuid().is_root() {
            return None;
        }
        let users = std::fs::read_to_string("/etc/passwd").expect("the list of users");
        let read = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut numbers = line.split(':').skip(2);
            Some(Self { uid: numbers.next()?.parse().ok()?, gid: numbers.next()?.parse().ok()? })
        };
        names.iter().copied().find_map(read)
    }

    pub(crate) fn apply(user: Option<Self>, command: &mut Command) {
        if let Some(Self { uid, gid }) = user {
            command.uid(uid).gid(gid);
        }
    }
}
