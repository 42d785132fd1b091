//! A relay process on a database of its own, which can be killed and started again in place.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

use crate::api::Api;
use crate::wait;
use mien_kit::parts;

/// Runs until dropped. Its port and its database outlive the process.
#[derive(Debug)]
pub struct Relay {
    process: Option<Child>,
    address: SocketAddr,
    folder: TempDir,
    database: &'static str,
    settings: Vec<(&'static str, String)>,
}

impl Relay {
    /// On a free port of this machine with an empty database, ready.
    pub fn start() -> Self {
        Self::start_with(Vec::new())
    }

    /// The same with further settings from the environment.
    pub fn start_with(settings: Vec<(&'static str, String)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the database");
        let mut relay =
            Self { process: None, address: free_address(), folder, database: "mien.db", settings };
        relay.restart();
        relay
    }

    /// Starts it again where it was, over another file beside its first, `mien.db`, or over that again. Its secret is
    /// the same.
    pub fn restart_over(&mut self, database: &'static str) {
        self.database = database;
        self.restart();
    }

    /// Starts it again where it was.
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "the relay still runs");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log());
        let mut command = Command::new(parts::program("MIEN_RELAY", "mien-relay"));
        command
            .current_dir(&self.folder)
            .env("MIEN_LISTEN", self.address.to_string())
            .env("MIEN_DATABASE_URL", format!("sqlite:{}", self.folder.path().join(self.database).display()))
            .env("MIEN_AUTH", "open")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(log.as_ref().expect("a log").try_clone().expect("a log"))
            .stdout(log.expect("a log"));
        self.process = Some(command.spawn().expect("the relay starts"));
        let api = self.api();
        wait::until("the relay to be ready", || {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            assert!(ended.is_none(), "the relay ended: {ended:?}\n{}", self.said());
            api.is_ready().then_some(())
        });
    }

    /// SIGKILL: no flush, no farewell.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("the relay runs");
        process.kill().expect("the relay can be killed");
        process.wait().expect("the relay is gone");
    }

    /// SIGTERM, and how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the relay runs");
        let asked = Command::new("kill").arg(process.id().to_string()).status().expect("kill runs");
        assert!(asked.success(), "the relay took no signal");
        process.wait().expect("the relay is gone")
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn api(&self) -> Api {
        Api::at(self.address)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("relay.log")
    }

    /// All it has logged so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if std::thread::panicking() {
            eprintln!("── the relay said ──\n{}", self.said());
        }
    }
}

/// A port that was free just now. The kernel hands out others first before it comes back to this one.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound address")
}
