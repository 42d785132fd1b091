//! A server under load, in a process of its own: the floor, or a relay on a store.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use mien_kit::relay::{Relay, Setup};
use mien_shared::SessionId;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Far above any load: the cost is measured, not the limit.
const NO_LIMIT: &str = "100000000";
/// All sources belong to one user, all watchers have one token.
const MOST_SOCKETS: &str = "100000";
const SETTINGS: [(&str, &str); 9] = [
    ("MIEN_AUTH", "open"),
    ("MIEN_MAX_CONNECTIONS", MOST_SOCKETS),
    ("MIEN_MAX_SOCKETS_PER_USER", MOST_SOCKETS),
    ("MIEN_MAX_SOCKETS_PER_SESSION", MOST_SOCKETS),
    ("MIEN_MAX_SOCKETS_PER_TOKEN", MOST_SOCKETS),
    ("MIEN_SAMPLES_PER_SECOND", NO_LIMIT),
    ("MIEN_SAMPLES_BURST", NO_LIMIT),
    ("MIEN_REQUESTS_PER_SECOND", NO_LIMIT),
    ("MIEN_REQUESTS_BURST", NO_LIMIT),
];

/// Runs until dropped.
#[derive(Debug)]
pub(crate) enum Server {
    Floor { process: Child, address: SocketAddr },
    Relay(Box<Relay>),
}

/// The addresses of one session's sockets, and the tokens that open them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints {
    pub(crate) ingest: String,
    pub(crate) ingest_token: String,
    pub(crate) watch: String,
    pub(crate) watch_token: String,
    /// `None` for the floor, which has no sessions.
    session: Option<SessionId>,
}

/// Raises the limit on open files for this process and its children as far as the system allows.
pub(crate) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    // If it cannot be raised, the scenario that needs more will report it when it connects.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

impl Server {
    /// This very program.
    pub(crate) fn floor() -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("floor")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the floor does not start")?;
        let mut said = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        let address = said.trim().rsplit_once("http://").and_then(|(_, address)| address.parse().ok());
        let Some(address) = address else {
            let _ = process.kill();
            let _ = process.wait();
            bail!("the floor did not start");
        };
        Ok(Self::Floor { process, address })
    }

    /// `database` is the URL of an empty one; with `None` the relay uses a file of its own.
    pub(crate) async fn relay(program: &Path, database: Option<&str>) -> anyhow::Result<Self> {
        let mut settings = SETTINGS.to_vec();
        settings.extend(database.map(|url| ("MIEN_DATABASE_URL", url)));
        let setup = Setup { program: Some(program.to_owned()), ..Setup::default() };
        Ok(Self::Relay(Box::new(Relay::try_start(setup, &settings).await?)))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Floor { address, .. } => *address,
            Self::Relay(relay) => relay.address(),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        match self {
            Self::Floor { process, .. } => process.id(),
            Self::Relay(relay) => relay.pid(),
        }
    }

    /// This many sessions, with one source each.
    pub(crate) async fn endpoints(&self, count: usize) -> Vec<Endpoints> {
        let Self::Relay(relay) = self else {
            let endpoints =
                Endpoints { ingest: "/ingest".into(), watch: "/watch".into(), ..Endpoints::default() };
            return vec![endpoints; count];
        };
        let api = relay.api();
        let mut endpoints = Vec::with_capacity(count);
        for _ in 0..count {
            let created = api.create_session().await;
            let session = created.session.id;
            endpoints.push(Endpoints {
                ingest: format!("/api/v1/sessions/{session}/ingest"),
                ingest_token: created.tokens.ingest,
                watch: format!("/api/v1/sessions/{session}/watch"),
                watch_token: created.tokens.watch,
                session: Some(session),
            });
        }
        endpoints
    }

    /// Samples in the store, counted one by one: each of ours shows one face, and the summary looks into every stored
    /// sample to count the faces. `None` for the floor, which stores nothing.
    pub(crate) async fn stored(&self, endpoints: &[Endpoints]) -> anyhow::Result<Option<u64>> {
        let Self::Relay(relay) = self else { return Ok(None) };
        let api = relay.api();
        let mut stored = 0;
        for session in endpoints.iter().filter_map(|endpoints| endpoints.session) {
            let summary = api.summary(session).await;
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
        // A relay ends on its own.
        if let Self::Floor { process, .. } = self {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
