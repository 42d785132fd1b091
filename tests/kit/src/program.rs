//! The relay's program, run to its end.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::parts;
use crate::wait::patiently;

/// The program that `MIEN_RELAY` names, or else the one in the target folder.
pub(crate) fn path() -> PathBuf {
    parts::program("MIEN_RELAY", "mien-relay")
}

/// Runs the relay's program to its end, with only these settings.
pub async fn run(arguments: &[&str], settings: &[(&str, &str)], folder: &Path) -> Output {
    let mut command = command(&path(), arguments, settings, folder);
    patiently("the relay's program to end", command.output()).await.expect("the relay's program runs")
}

/// The same as an unprivileged user; `None` if we are not root, as only root can switch users.
pub async fn run_as_nobody(arguments: &[&str], settings: &[(&str, &str)], folder: &Path) -> Option<Output> {
    const NOBODY: u32 = 65_534;
    if !rustix::process::getuid().is_root() {
        return None;
    }
    // In a place that the user can reach.
    let place = tempfile::tempdir().expect("a folder for the program");
    let copy = place.path().join("mien-relay");
    std::fs::copy(path(), &copy).expect("the program can be copied");
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.path(), everyone).expect("it is ours");
    let mut command = command(&copy, arguments, settings, folder);
    command.uid(NOBODY).gid(NOBODY);
    let output = patiently("the relay's program to end", command.output()).await;
    Some(output.expect("the relay's program runs"))
}

fn command(program: &Path, arguments: &[&str], settings: &[(&str, &str)], folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    command.env_clear().envs(settings.iter().copied());
    command
}
