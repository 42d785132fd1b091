//! A headless Chromium with its own profile and, if requested, a camera.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use crate::cdp::Connection;
use crate::page::Page;
use crate::traffic::Traffic;
use crate::wait;

/// What a page finds when it requests a camera.
#[derive(Clone, Debug)]
pub enum Camera {
    /// Allowed, and the camera films this Motion JPEG.
    Films(PathBuf),
    /// There is one, and the user denies access.
    Denied,
    /// Two, allowed; they film a test picture without a face.
    Two,
    /// There is none.
    Absent,
}

/// The browser ends when this value is dropped, children and profile included.
#[derive(Debug)]
pub struct Browser {
    process: Child,
    connection: Arc<Connection>,
    folder: TempDir,
}

/// Headless as root; no network traffic of the browser's own.
const ARGUMENTS: [&str; 19] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-client-side-phishing-detection",
    "--disable-extensions",
    "--disable-features=OptimizationHints,MediaRouter,Translate,DialMediaRouteProvider",
    "--metrics-recording-only",
    "--password-store=basic",
    "--window-size=1280,900",
    "--remote-debugging-pipe",
];

/// Nothing is throttled because no one is looking.
const EVEN: [&str; 3] = [
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
];

impl Browser {
    pub fn start(camera: &Camera) -> Self {
        Self::start_with(camera, &EVEN)
    }

    /// One that treats hidden pages as it does on a person's machine: their timers run once a second.
    pub fn start_throttling(camera: &Camera) -> Self {
        Self::start_with(camera, &[])
    }

    fn start_with(camera: &Camera, pace: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the profile");
        let mut command = Command::new("sh");
        // The browser reads commands from descriptor 3 and answers on 4; the shell puts our pipes there.
        command
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>&2", "chromium"])
            .args(ARGUMENTS)
            .args(pace);
        command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
        command.arg(format!("--log-net-log={}", net_log(folder.path()).display()));
        match camera {
            Camera::Films(clip) => {
                command.args(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]);
                command.arg(format!("--use-file-for-fake-video-capture={}", clip.display()));
            }
            Camera::Two => {
                command.args([
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream=device-count=2",
                ]);
            }
            Camera::Denied => {
                command.args(["--use-fake-ui-for-media-stream=deny", "--use-fake-device-for-media-stream"]);
            }
            Camera::Absent => {
                command.args([
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream=device-count=0",
                ]);
            }
        }
        let log = std::fs::File::create(folder.path().join("browser.log")).expect("a log");
        command.arg("about:blank").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut process = command.process_group(0).spawn().expect("chromium starts");
        let input = process.stdin.take().expect("a piped input");
        let output = process.stdout.take().expect("a piped output");
        let connection = Connection::open(input, output);
        Self { process, connection, folder }
    }

    /// A new page in its own window, so that it counts as visible.
    pub fn page(&self) -> Page {
        let target = self
            .connection
            .call(None, "Target.createTarget", json!({ "url": "about:blank", "newWindow": true }))
            .expect("a new page");
        Page::attach(Arc::clone(&self.connection), &target["targetId"])
    }

    /// Files that its pages offer to save go into this folder without asking.
    pub fn downloads_to(&self, folder: &Path) {
        let allowed = json!({ "behavior": "allow", "downloadPath": folder });
        self.connection.call(None, "Browser.setDownloadBehavior", allowed).expect("downloads");
    }

    /// Everything that its pages and workers have sent so far.
    pub fn traffic(&self) -> Traffic {
        Traffic::of(&self.connection.events())
    }

    /// Closes it cleanly and returns every address that a page of this origin requested from its network layer.
    pub fn close_and_read_net_log(mut self, origin: &str) -> Vec<String> {
        let _ = self.connection.call(None, "Browser.close", json!({}));
        wait::until("the browser to close", || self.process.try_wait().ok().flatten());
        let log = std::fs::read(net_log(self.folder.path())).expect("a net log");
        crate::traffic::requested(&log, origin)
    }
}

fn net_log(folder: &Path) -> PathBuf {
    folder.join("net-log.json")
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for line in self.traffic().complaints {
                eprintln!("browser: {line}");
            }
        }
        // The whole group, so that renderers and helpers do not outlive it.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}
