//! Postgres, with a superuser `mien` who can connect from this machine without a password.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;

use crate::folder::Folder;
use crate::missing::{skip, told};
use crate::program::{advice, postgres_folder};
use crate::server::{Server, free_port};
use crate::user::User;

/// The user says that this machine has no Postgres.
const WITHOUT: &str = "MIEN_WITHOUT_POSTGRES";
const OVER: &str = "MIEN_TESTS_OVER";

/// Runs until dropped. Its port and its data outlive the process.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    programs: PathBuf,
    user: Option<User>,
    port: u16,
    databases: AtomicU32,
}

impl Postgres {
    /// On a free port with an empty cluster, ready. It syncs to disk as in production.
    pub fn start() -> Self {
        Self::start_from(programs().unwrap_or_else(|| panic!("{}", absent())))
    }

    fn start_from(programs: PathBuf) -> Self {
        let user = User::instead_of_root(&["postgres", "nobody"]);
        let folder = Folder::new("mien-postgres-", user);
        let mut init = Command::new(programs.join("initdb"));
        init.args(["--auth=trust", "--username=mien", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        run(init.arg(folder.path().join("data")), user);
        let mut postgres = Self {
            server: Server::new("Postgres", folder),
            programs,
            user,
            port: free_port(),
            databases: AtomicU32::new(0),
        };
        postgres.start_again();
        postgres
    }

    /// The same, or `None` if there is none, which skips the test.
    #[track_caller]
    pub fn if_present() -> Option<Self> {
        let found = programs();
        if found.is_none() {
            skip(&absent());
        }
        found.map(Self::start_from)
    }

    /// One for all tests of a process, started by the first that needs it.
    #[track_caller]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: LazyLock<Option<Postgres>> = LazyLock::new(|| programs().map(Postgres::start_from));
        if SHARED.is_none() {
            skip(&absent());
        }
        SHARED.as_ref()
    }

    /// The shared one, if a suite that can take any store is run with `MIEN_TESTS_OVER=postgres`. If there is no
    /// Postgres, such a suite fails: otherwise it would pass over another store.
    pub fn asked_for() -> Option<&'static Self> {
        let asked = std::env::var_os(OVER).is_some_and(|store| store == "postgres");
        asked.then(|| Self::shared().unwrap_or_else(|| panic!("{OVER} asks for Postgres: {}", absent())))
    }

    /// Restarts it in place.
    pub fn start_again(&mut self) {
        let mut command = Command::new(self.programs.join("postgres"));
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"] {
            command.args(["-c", setting]);
        }
        User::apply(self.user, &mut command);
        let mut ask = self.client("pg_isready");
        ask.arg("--quiet");
        let ask = std::cell::RefCell::new(ask);
        self.server.start(&mut command, || ask.borrow_mut().status().is_ok_and(|status| status.success()));
    }

    /// SIGKILL, as when the machine dies, except for what the kernel still holds.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Ends every connection and stops.
    pub fn stop(&mut self) {
        self.server.end(Signal::INT);
    }

    /// Freezes every one of its processes.
    pub fn freeze(&self) {
        self.server.freeze();
    }

    pub fn thaw(&self) {
        self.server.thaw();
    }

    pub fn runs(&self) -> bool {
        self.server.runs()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Process id of the postmaster; its backends are its children.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// The cluster's folder, with `pg_hba.conf` in it.
    pub fn data(&self) -> PathBuf {
        self.server.folder().path().join("data")
    }

    /// Creates an empty database and returns its URL.
    pub fn database(&self) -> String {
        let name = format!("mien_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        run(self.client("createdb").arg(&name), None);
        self.url(&name)
    }

    /// The URL of a database, whether it exists or not.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://mien@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL in the database with this URL and returns what `psql` prints, without headers.
    pub fn sql(&self, url: &str, sql: &str) -> String {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"]);
        let said = run(command.args([url, "-c", sql]), None);
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.args(["-h", "127.0.0.1", "-U", "mien", "-p", &self.port.to_string()]);
        command
    }
}

/// Where the Postgres programs are.
fn programs() -> Option<PathBuf> {
    if told(WITHOUT) { None } else { postgres_folder("initdb") }
}

/// The folder of the Postgres programs; `None` if there is none.
pub fn postgres_programs() -> Option<PathBuf> {
    programs()
}

fn absent() -> String {
    advice("initdb", "postgresql")
}

fn run(command: &mut Command, user: Option<User>) -> Output {
    User::apply(user, command);
    // A folder that the other user may enter.
    command.current_dir(Path::new("/"));
    let output = command.output().unwrap_or_else(|cause| panic!("{command:?}: {cause}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_outlives_the_process() {
        let Some(mut postgres) = Postgres::if_present() else { return };
        let url = postgres.database();
        postgres.sql(&url, "CREATE TABLE t AS SELECT 7 AS n");
        postgres.kill();
        assert!(!postgres.runs());
        postgres.start_again();
        assert_eq!(postgres.sql(&url, "SELECT n FROM t"), "7");
        postgres.stop();
        postgres.start_again();
        postgres.freeze();
        postgres.thaw();
        assert_ne!(postgres.database(), url);
        let folder = postgres.data();
        drop(postgres);
        assert!(!folder.exists());
    }
}
