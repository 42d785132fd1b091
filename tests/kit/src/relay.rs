//! A relay process: all suites start relays here. It can be killed and restarted in place.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::api::Api;
use crate::database::{Database, sqlite_url};
use crate::program::run;
use crate::tmpfs::Tmpfs;
use crate::wait::{patiently, until};
use crate::{ports, program};

/// Signs the tokens of every relay here.
pub const SECRET: &str = "a secret of tests, and of no use elsewhere";
const UNLIMITED: &str = "1000000";
/// Limits that tests of other things must not run into.
const LIMITS: [&str; 4] =
    ["MIEN_SAMPLES_PER_SECOND", "MIEN_SAMPLES_BURST", "MIEN_REQUESTS_PER_SECOND", "MIEN_REQUESTS_BURST"];

/// Runs until dropped. Its port and its database outlive the process.
#[derive(Debug)]
pub struct Relay {
    process: Option<Child>,
    address: SocketAddr,
    folder: TempDir,
    setup: Setup,
    settings: Vec<(String, String)>,
    /// Its own, if the tests run over Postgres.
    _database: Option<Database>,
}

/// What is special about a relay.
#[derive(Debug, Default)]
pub struct Setup {
    /// Another build than the one under test.
    pub program: Option<PathBuf>,
    /// Limits on the rates of samples and requests.
    pub limits: Limits,
    pub confinement: Confinement,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limits {
    #[default]
    Lifted,
    AsShipped,
}

/// What the system lets a relay use.
#[derive(Debug, Default)]
pub enum Confinement {
    #[default]
    None,
    /// The file system that its database is in.
    Tmpfs(Tmpfs),
    /// The maximum number of open files.
    OpenFiles(u32),
}

/// It ended before it was ready; contains what it logged.
#[derive(Debug)]
pub struct NotReady(pub String);

impl std::fmt::Display for NotReady {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the relay ended before it was ready:\n{}", self.0)
    }
}

impl std::error::Error for NotReady {}

impl Relay {
    /// With an empty database, ready: over SQLite, or over Postgres if `MIEN_TESTS_OVER` says so.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with additional settings from the environment.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let wanted = std::env::var("MIEN_TESTS_OVER").is_ok_and(|store| store == "postgres");
        if !wanted {
            return Self::start_as(Setup::default(), settings).await;
        }
        let database = Database::postgres().expect("MIEN_TESTS_OVER asks for Postgres");
        let url = database.url().to_owned();
        let settings = [&[("MIEN_DATABASE_URL", url.as_str())], settings].concat();
        Self::try_start_on(Some(database), Setup::default(), &settings)
            .await
            .unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// With an empty SQLite database, whatever `MIEN_TESTS_OVER` says.
    pub async fn start_over_sqlite() -> Self {
        Self::start_as(Setup::default(), &[]).await
    }

    /// With additional settings, over the database with this URL.
    pub async fn start_over(database: &str, settings: &[(&str, &str)]) -> Self {
        let settings = [&[("MIEN_DATABASE_URL", database)], settings].concat();
        Self::start_as(Setup::default(), &settings).await
    }

    pub async fn start_as(setup: Setup, settings: &[(&str, &str)]) -> Self {
        Self::try_start(setup, settings).await.unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// Over SQLite, unless the settings name another database.
    pub async fn try_start(setup: Setup, settings: &[(&str, &str)]) -> Result<Self, NotReady> {
        Self::try_start_on(None, setup, settings).await
    }

    async fn try_start_on(
        database: Option<Database>,
        setup: Setup,
        settings: &[(&str, &str)],
    ) -> Result<Self, NotReady> {
        let folder = tempfile::tempdir().expect("a folder for the relay");
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut relay = Self {
            process: None,
            address: ports::free_address(),
            folder,
            setup,
            settings: settings.collect(),
            _database: database,
        };
        relay.launch();
        relay.ready().await?;
        Ok(relay)
    }

    /// Restarts it in place.
    pub async fn restart(&mut self) {
        self.launch();
        self.ready().await.unwrap_or_else(|fault| panic!("{fault}"));
    }

    async fn ready(&mut self) -> Result<(), NotReady> {
        let (api, mut ended) = (self.api(), None);
        until("the relay to be ready", async || {
            ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            ended.is_some() || api.ready().await == Some(200)
        })
        .await;
        if ended.is_some() { Err(NotReady(self.said())) } else { Ok(()) }
    }

    /// Adds or changes a setting from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Starts it again without waiting for anything.
    pub fn launch(&mut self) {
        assert!(self.process.is_none(), "the relay still runs");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).expect("a log");
        let program = self.setup.program.clone().unwrap_or_else(program::path);
        let mut command = match &self.setup.confinement {
            Confinement::Tmpfs(tmpfs) => tmpfs.command(&program),
            Confinement::OpenFiles(count) => {
                let mut command = Command::new("sh");
                command.args(["-c", "ulimit -n $1 && exec \"$0\""]).arg(program).arg(count.to_string());
                command
            }
            Confinement::None => Command::new(program),
        };
        let place = match &self.setup.confinement {
            Confinement::Tmpfs(tmpfs) => tmpfs.path(),
            _ => self.folder.path(),
        };
        if self.setup.limits == Limits::Lifted {
            command.envs(LIMITS.map(|limit| (limit, UNLIMITED)));
        }
        let process = command
            .current_dir(self.folder.path())
            .env("MIEN_LISTEN", self.address.to_string())
            .env("MIEN_DATABASE_URL", sqlite_url(&place.join("mien.db")))
            .env("MIEN_TOKEN_SECRET", SECRET)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            // It prints where it listens, which is known.
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|cause| panic!("the relay does not start: {cause}"));
        self.process = Some(process);
    }
    /// SIGKILL: no flush, no close frames.
    pub async fn kill(&mut self) {
        let mut process = self.process.take().expect("the relay runs");
        process.kill().await.expect("the relay can be killed");
    }

    /// A signal that ends it; see [`Relay::ended`].
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

    /// The API as the user of open mode.
    pub fn api(&self) -> Api {
        Api::at(self.address)
    }

    /// The API as this user.
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

    /// One number from what the kernel reports about it.
    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel says it");
        line.trim().trim_end_matches("kB").trim().parse().expect("a number")
    }

    /// Number of open files, sockets and the like.
    pub fn handles(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("it runs").count()
    }

    pub fn tmpfs(&self) -> &Tmpfs {
        match &self.setup.confinement {
            Confinement::Tmpfs(tmpfs) => tmpfs,
            _ => panic!("this relay has no file system of its own"),
        }
    }

    /// Folder of its database, unless that has its own file system.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("relay.log")
    }

    /// Everything that it has logged so far.
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
