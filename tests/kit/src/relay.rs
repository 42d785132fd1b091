//! A relay process that can be killed and started again in place.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};

use mien_servers::Postgres;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::api::Api;
use crate::room::Room;
use crate::{parts, patiently, ports, postgres, until};

/// Signs the tokens of every relay here.
pub const SECRET: &str = "a secret of tests, and of no use elsewhere";
/// No test of anything else is to be slowed by a limit.
const UNLIMITED: &str = "1000000";

/// Runs until dropped. Its port and its database outlive the process.
#[derive(Debug)]
pub struct Relay {
    process: Option<Child>,
    address: SocketAddr,
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
    room: Option<Room>,
    /// Handles that it may have, if only so many.
    handles: Option<u32>,
    /// Its own, where the tests run over Postgres.
    postgres: Option<Postgres>,
}

impl Relay {
    /// With an empty database, ready: over SQLite, or over Postgres where `MIEN_TESTS_OVER` says so.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with further settings from the environment.
    pub async fn start_with(settings: &[(&'static str, &str)]) -> Self {
        let wanted = std::env::var("MIEN_TESTS_OVER").is_ok_and(|store| store == "postgres");
        let Some(server) = wanted.then(postgres).flatten() else {
            return Self::start_in(settings, None).await;
        };
        let mut relay = Self::start_over(&server.database(), settings).await;
        relay.postgres = Some(server);
        relay
    }

    /// With an empty SQLite database, whatever `MIEN_TESTS_OVER` says.
    pub async fn start_over_sqlite() -> Self {
        Self::start_in(&[], None).await
    }

    /// The same, where the system allows it no more handles than these.
    pub async fn start_with_handles(handles: u32) -> Self {
        Self::start_at(&[], None, Some(handles)).await
    }

    /// With further settings, over the database of this URL.
    pub async fn start_over(database: &str, settings: &[(&'static str, &str)]) -> Self {
        let mut all = vec![("MIEN_DATABASE_URL", database)];
        all.extend(settings);
        Self::start_in(&all, None).await
    }

    /// The same with its database in a room of limited size.
    pub async fn start_in_room(room: Room, settings: &[(&'static str, &str)]) -> Self {
        Self::start_in(settings, Some(room)).await
    }

    async fn start_in(settings: &[(&'static str, &str)], room: Option<Room>) -> Self {
        Self::start_at(settings, room, None).await
    }

    async fn start_at(settings: &[(&'static str, &str)], room: Option<Room>, handles: Option<u32>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the relay");
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let address = ports::free_address();
        let mut relay = Self { process: None, address, folder, settings, room, handles, postgres: None };
        relay.restart().await;
        relay
    }

    /// Starts it again where it was.
    pub async fn restart(&mut self) {
        self.launch();
        let api = self.api();
        until("the relay to be ready", || {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            assert!(ended.is_none(), "the relay ended: {ended:?}\n{}", self.said());
            let api = api.clone();
            async move { api.ready().await == Some(200) }
        })
        .await;
    }

    /// Starts it again and waits for nothing.
    pub fn launch(&mut self) {
        assert!(self.process.is_none(), "the relay still runs");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).expect("a log");
        let mut command = match (&self.room, self.handles) {
            (Some(room), _) => room.command(&program()),
            (None, Some(handles)) => {
                let mut command = Command::new("sh");
                command.args(["-c", "ulimit -n $1 && exec \"$0\""]).arg(program()).arg(handles.to_string());
                command
            }
            (None, None) => Command::new(program()),
        };
        let database = self.room.as_ref().map_or(self.folder.path(), Room::path).join("mien.db");
        let process = command
            .current_dir(self.folder.path())
            .env("MIEN_LISTEN", self.address.to_string())
            .env("MIEN_DATABASE_URL", format!("sqlite:{}", database.display()))
            .env("MIEN_TOKEN_SECRET", SECRET)
            .env("MIEN_SAMPLES_PER_SECOND", UNLIMITED)
            .env("MIEN_SAMPLES_BURST", UNLIMITED)
            .env("MIEN_REQUESTS_PER_SECOND", UNLIMITED)
            .env("MIEN_REQUESTS_BURST", UNLIMITED)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the relay starts");
        self.process = Some(process);
    }

    /// SIGKILL: no flush, no farewell.
    pub async fn kill(&mut self) {
        let mut process = self.process.take().expect("the relay runs");
        process.kill().await.expect("the relay can be killed");
    }

    /// One that ends it; see [`Relay::ended`].
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed()).expect("a process has a number");
        kill_process(pid, signal).expect("the relay takes a signal");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the relay runs");
        patiently("the relay to end", process.wait()).await.expect("the relay is gone")
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The interface as the user of open mode.
    pub fn api(&self) -> Api {
        Api { address: self.address, token: None }
    }

    /// The interface as this user.
    pub async fn api_of(&self, user: &str) -> Api {
        let output =
            run(&["token", "--user", user], &[("MIEN_TOKEN_SECRET", SECRET)], self.folder.path()).await;
        let token = String::from_utf8(output.stdout).expect("a token is text").trim().to_owned();
        Api { address: self.address, token: Some(token) }
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().and_then(Child::id).expect("the relay runs")
    }

    /// Resident memory in KiB.
    pub fn memory_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    pub fn threads(&self) -> u64 {
        self.status("Threads:")
    }

    /// One number of what the kernel says of it.
    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel says it");
        line.trim().trim_end_matches("kB").trim().parse().expect("a number")
    }

    /// Open files, sockets and the like.
    pub fn handles(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("it runs").count()
    }

    pub fn room(&self) -> &Room {
        self.room.as_ref().expect("the relay has a room")
    }

    /// Where its database is, but for one with a room.
    pub fn folder(&self) -> &Path {
        self.folder.path()
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
        if std::thread::panicking() {
            eprintln!("── the relay said ──\n{}", self.said());
        }
    }
}

/// Runs the relay's program to its end, with these settings alone.
pub async fn run(arguments: &[&str], settings: &[(&str, &str)], folder: &Path) -> Output {
    let mut command = command(&program(), arguments, settings, folder);
    patiently("the relay's program to end", command.output()).await.expect("the relay's program runs")
}

/// The same as a user who owns nothing; `None` where we are not root, who alone can be another.
pub async fn run_as_nobody(arguments: &[&str], settings: &[(&str, &str)], folder: &Path) -> Option<Output> {
    const NOBODY: u32 = 65_534;
    if !rustix::process::getuid().is_root() {
        return None;
    }
    // Where they can reach it.
    let place = tempfile::tempdir().expect("a folder for the program");
    let copy = place.path().join("mien-relay");
    std::fs::copy(program(), &copy).expect("the program can be copied");
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

fn program() -> PathBuf {
    parts::program("MIEN_RELAY", "mien-relay")
}
