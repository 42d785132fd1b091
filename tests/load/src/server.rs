//! A server under load, as a process of its own: the floor, or a relay on a store.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use mien_shared::api::{SessionCreated, Summary};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

/// Far above any load: the cost is measured, not the limit.
const NO_LIMIT: &str = "100000000";
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs until dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    agent: ureq::Agent,
    is_relay: bool,
    /// With the relay's database and log in it.
    _folder: TempDir,
}

/// Where one session's sockets are, and what opens them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seat {
    pub(crate) ingest: String,
    pub(crate) ingest_token: String,
    pub(crate) watch: String,
    pub(crate) watch_token: String,
    session: String,
}

/// As many files as the system lets this process, and its children, have.
pub(crate) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Where it may not be raised, the scenario that needs more says so when it connects.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

impl Server {
    /// The floor: this very program.
    pub(crate) fn floor() -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("floor");
        Self::start(command, tempfile::tempdir()?, false)
    }

    /// A relay. `database` is the URL of an empty one; `None` is a file of its own.
    pub(crate) fn relay(program: &Path, database: Option<&str>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("mien-load-").tempdir()?;
        let mut command = Command::new(program);
        let file = format!("sqlite:{}", folder.path().join("mien.db").display());
        command
            .current_dir(&folder)
            .env("MIEN_LISTEN", "127.0.0.1:0")
            .env("MIEN_DATABASE_URL", database.unwrap_or(&file))
            .env("MIEN_AUTH", "open")
            .env("MIEN_TOKEN_SECRET", "measured, not guarded: a secret of the load generator")
            .env("MIEN_MAX_CONNECTIONS", "100000");
        for limit in ["SAMPLES_PER_SECOND", "SAMPLES_BURST", "REQUESTS_PER_SECOND", "REQUESTS_BURST"] {
            command.env(format!("MIEN_{limit}"), NO_LIMIT);
        }
        // All sources are one user's, all watchers have one token.
        for of in ["USER", "SESSION", "TOKEN"] {
            command.env(format!("MIEN_MAX_SOCKETS_PER_{of}"), "100000");
        }
        Self::start(command, folder, true)
    }

    fn start(mut command: Command, folder: TempDir, is_relay: bool) -> anyhow::Result<Self> {
        let log = folder.path().join("log");
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("{} does not start", command.get_program().display()))?;
        let mut said = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        let Some(address) = said.trim().rsplit_once("http://").and_then(|(_, address)| address.parse().ok())
        else {
            let _ = process.kill();
            let _ = process.wait();
            bail!("the server did not start: {}", std::fs::read_to_string(&log).unwrap_or_default());
        };
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE));
        Ok(Self { process, address, agent: config.build().new_agent(), is_relay, _folder: folder })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// So many sessions, one source each.
    pub(crate) fn seats(&self, count: usize) -> anyhow::Result<Vec<Seat>> {
        if !self.is_relay {
            let seat = Seat { ingest: "/ingest".into(), watch: "/watch".into(), ..Seat::default() };
            return Ok(vec![seat; count]);
        }
        (0..count).map(|_| self.session().context("a session cannot be made")).collect()
    }

    fn session(&self) -> anyhow::Result<Seat> {
        let url = format!("http://{}/api/v1/sessions", self.address);
        let created: SessionCreated =
            self.agent.post(url).send_json(serde_json::json!({}))?.body_mut().read_json()?;
        let session = created.session.id.to_string();
        Ok(Seat {
            ingest: format!("/api/v1/sessions/{session}/ingest"),
            ingest_token: created.tokens.ingest,
            watch: format!("/api/v1/sessions/{session}/watch"),
            watch_token: created.tokens.watch,
            session,
        })
    }

    /// Samples that the store has, counted one by one: each of ours shows one face, and the summary looks into
    /// every stored sample to count them. `None` for the floor, which stores nothing.
    pub(crate) fn stored(&self, seats: &[Seat]) -> anyhow::Result<Option<u64>> {
        if !self.is_relay {
            return Ok(None);
        }
        let mut stored = 0;
        for Seat { session, .. } in seats {
            let url = format!("http://{}/api/v1/sessions/{session}/summary", self.address);
            let summary: Summary = self.agent.get(url).call()?.body_mut().read_json()?;
            anyhow::ensure!(
                summary.stored == summary.faces,
                "session {session} says {} stored, but has {}",
                summary.stored,
                summary.faces
            );
            stored += summary.faces;
        }
        Ok(Some(stored))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What it has stored is no longer wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
