//! A file system of limited size, which disappears with this process however that ends.
//!
//! It is mounted in its own mount namespace, held by a shell that waits for its input to close. So nothing of it is
//! left on the machine, and it needs no root where the kernel allows user namespaces.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use mien_servers::missing::leave_out;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::wait::patiently;

/// Reports that it is mounted, then waits for the end.
const HOLD: &str = "mount -t tmpfs -o size=$1 tmpfs \"$0\" && echo there && exec cat";

#[derive(Debug)]
pub struct Tmpfs {
    holder: Child,
    folder: TempDir,
}

impl Tmpfs {
    /// Makes one of this many bytes; `None` if we may not make one on this machine, which skips the test.
    pub async fn make(bytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder to mount on");
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let holder = command
            .args(["sh", "-c", HOLD])
            .arg(folder.path())
            .arg(bytes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut holder = match holder {
            Ok(holder) => holder,
            Err(cause) => {
                leave_out(&format!("`unshare` of util-linux is missing ({cause})"));
                return None;
            }
        };
        let mut said = String::new();
        let mut output = BufReader::new(holder.stdout.take().expect("a piped output"));
        let _ = patiently("the file system to be mounted", output.read_line(&mut said)).await;
        if said.trim() != "there" {
            leave_out("this machine lets us mount no file system of limited size");
            return None;
        }
        Some(Self { holder, folder })
    }

    /// Its path for processes inside.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in it, seen from outside.
    pub fn file(&self, name: &str) -> PathBuf {
        let inside = self.folder.path().strip_prefix("/").expect("an absolute path");
        Path::new(&format!("/proc/{}/root", self.pid())).join(inside).join(name)
    }

    /// A command that will run `program` inside, as the same process.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.pid().to_string()).arg("--mount");
        if !is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg(program);
        command
    }

    /// Takes all the space that is left.
    pub fn fill(&self) {
        let mut ballast = std::fs::File::create(self.file("ballast")).expect("space for a name");
        while ballast.write_all(&[0; 4_096]).is_ok() {}
    }

    /// Gives back what [`Tmpfs::fill`] took.
    pub fn empty(&self) {
        std::fs::remove_file(self.file("ballast")).expect("it was there");
    }

    fn pid(&self) -> u32 {
        self.holder.id().expect("the holder runs")
    }
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}
