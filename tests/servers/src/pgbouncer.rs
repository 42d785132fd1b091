//! PgBouncer in front of a Postgres.

use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use crate::folder::Folder;
use crate::missing::skip;
use crate::postgres::Postgres;
use crate::program::{advice, on_path};
use crate::server::{Server, free_port};
use crate::user::User;

/// A program other than the one on the path, for example if Debian's is too old.
const PROGRAM: &str = "MIEN_PGBOUNCER";
/// Debian keeps it in a folder that is only on root's path.
const DEBIAN: &str = "/usr/sbin/pgbouncer";

/// Runs until dropped.
#[derive(Debug)]
pub struct PgBouncer {
    _server: Server,
    port: u16,
}

impl PgBouncer {
    /// `None` if there is none on this machine.
    fn program() -> Option<PathBuf> {
        let named = std::env::var_os(PROGRAM).map(PathBuf::from);
        named.or_else(|| on_path("pgbouncer")).or_else(|| Some(DEBIAN.into())).filter(|file| file.is_file())
    }

    /// Major and minor version; `None` if there is none on this machine.
    pub fn version() -> Option<(u32, u32)> {
        let said = Command::new(Self::program()?).arg("--version").output().ok()?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let mut numbers = said.lines().next()?.strip_prefix("PgBouncer ")?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    /// In front of this server, with these settings, ready; `None` if there is none, which skips the test.
    #[track_caller]
    pub fn before(postgres: &Postgres, settings: &[(&str, &str)]) -> Option<Self> {
        let Some(program) = Self::program() else {
            skip(&advice("pgbouncer", "pgbouncer"));
            return None;
        };
        let user = User::instead_of_root(&["postgres", "nobody"]);
        let folder = Folder::new("mien-pgbouncer-", user);
        let port = free_port();
        let users = folder.path().join("users");
        let mut config = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\n",
            postgres.port(),
            users.display()
        );
        for (name, value) in settings {
            config.extend([name, " = ", value, "\n"]);
        }
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, config).expect("the server's folder can be written");
        std::fs::write(users, "\"mien\" \"\"\n").expect("the server's folder can be written");
        let mut command = Command::new(program);
        command.arg(file).current_dir("/");
        User::apply(user, &mut command);
        let mut server = Server::new("PgBouncer", folder);
        server.start(&mut command, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
        Some(Self { _server: server, port })
    }

    /// The URL that reaches a database of the server through it.
    pub fn through(&self, url: &str) -> String {
        let (_, database) = url.rsplit_once('/').expect("a URL names a database");
        format!("postgres://mien@127.0.0.1:{}/{database}", self.port)
    }
}
