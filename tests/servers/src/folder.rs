//! A server's folder, which is removed with the server, and a server that ends with this process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::user::User;

/// Waits until its input closes, which happens with this process however that ends; then ends the server whose process
/// id is in `pid`, and removes the folder.
const WATCH: &str = "cat > /dev/null
pid=$(cat \"$0/pid\" 2> /dev/null)
if [ -n \"$pid\" ]; then
  children=$(cat /proc/$pid/task/*/children 2> /dev/null)
  kill -9 $pid $children 2> /dev/null
fi
rm -rf \"$0\"
sleep 0.2
rm -rf \"$0\"";

/// Removed when dropped, together with the server in it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    watch: Child,
}

impl Folder {
    /// A new folder that belongs to `user`.
    pub(crate) fn new(prefix: &str, user: Option<User>) -> Self {
        let path = tempfile::Builder::new().prefix(prefix).tempdir().expect("a folder for the server").keep();
        if let Some(User { uid, gid }) = user {
            std::os::unix::fs::chown(&path, Some(uid), Some(gid)).expect("root can give a folder away");
        }
        let watch = Command::new("sh")
            .args(["-c", WATCH])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell to watch over the server");
        Self { path, watch }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Records which process runs here now.
    pub(crate) fn note(&self, pid: u32) {
        std::fs::write(self.path.join("pid"), pid.to_string()).expect("the server's folder can be written");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}
