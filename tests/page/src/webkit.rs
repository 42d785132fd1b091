//! WebKit in its own window on a virtual display, driven by its WebDriver.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mien_servers::missing::skip;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::relay::free_address;
use crate::wait;

/// Tells tests that this machine has no WebKit.
const ABSENT: &str = "MIEN_WITHOUT_WEBKIT";
/// A script or a page that takes longer than this hangs.
const ANSWER_DEADLINE: Duration = Duration::from_mins(1);

/// WebKit ends when this value is dropped, its processes and its profile included.
#[derive(Debug)]
pub struct WebKit {
    client: ureq::Agent,
    /// Address of the WebDriver session.
    session: String,
    driver: Group,
    _screen: Group,
    folder: TempDir,
}

/// A process that is killed with whatever it started.
#[derive(Debug)]
struct Group(Child);

impl Group {
    fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_owned();
        Self(command.process_group(0).spawn().unwrap_or_else(|fault| panic!("{}: {fault}", name.display())))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

impl WebKit {
    /// `None` if the machine has none, which skips the test.
    #[track_caller]
    pub fn start() -> Option<Self> {
        if std::env::var_os(ABSENT).is_some() {
            skip("WebKit is missing");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder for the profile");
        let (screen, display) = screen();
        let address = free_address();
        let driver = Group::start(
            Command::new("WebKitWebDriver")
                .args([format!("--host={}", address.ip()), format!("--port={}", address.port())])
                .env("DISPLAY", display)
                .env("HOME", folder.path())
                .env("XDG_RUNTIME_DIR", folder.path())
                .env_remove("WAYLAND_DISPLAY")
                .stdin(Stdio::null())
                .stdout(log(folder.path()))
                .stderr(log(folder.path())),
        );
        let client = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER_DEADLINE))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let mut webkit =
            Self { client, session: format!("http://{address}"), driver, _screen: screen, folder };
        wait::until("the driver to listen", || {
            let ended = webkit.driver.0.try_wait().ok().flatten();
            assert!(ended.is_none(), "the driver ended: {ended:?}\n{}", webkit.said());
            webkit.client.get(format!("{}/status", webkit.session)).call().ok()
        });
        // The driver finds its own browser, and starts it under automation.
        let opened = webkit.call("/session", &json!({ "capabilities": {} }));
        let id = opened["sessionId"].as_str().expect("a session");
        webkit.session = format!("{}/session/{id}", webkit.session);
        Some(webkit)
    }

    pub fn goto(&self, url: &str) {
        self.call("/url", &json!({ "url": url }));
    }

    /// The value of an expression, promises awaited.
    pub fn ask(&self, expression: &str) -> Value {
        self.call("/execute/sync", &json!({ "script": format!("return {expression};"), "args": [] }))
    }

    /// Everything a person could read.
    pub fn text(&self) -> String {
        self.ask("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    fn call(&self, path: &str, body: &Value) -> Value {
        let answer = self.client.post(format!("{}{path}", self.session)).send_json(body);
        let mut answer = answer.unwrap_or_else(|fault| panic!("{path}: {fault}\n{}", self.said()));
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        assert!(answer.status().is_success(), "{path}: {text}\n{}", self.said());
        let mut value: Value = serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{fault}: {text}"));
        value["value"].take()
    }

    /// What the browser and the driver have logged.
    fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("webkit.log")).unwrap_or_default()
    }
}

impl Drop for WebKit {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("── WebKit said ──\n{}", self.said());
        }
        // This closes the browser cleanly; the group is killed in any case.
        let _ = self.client.delete(&self.session).call();
    }
}

fn log(folder: &Path) -> std::fs::File {
    let file = folder.join("webkit.log");
    std::fs::OpenOptions::new().create(true).append(true).open(file).expect("a log")
}

/// A virtual display, and its name. It picks a free number on its own.
fn screen() -> (Group, String) {
    let mut screen = Group::start(
        Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null()),
    );
    let mut name = String::new();
    BufReader::new(screen.0.stdout.take().expect("a piped output")).read_line(&mut name).expect("a screen");
    assert!(!name.trim().is_empty(), "Xvfb found no screen");
    (screen, format!(":{}", name.trim()))
}
