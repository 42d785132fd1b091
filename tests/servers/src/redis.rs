//! Redis or Valkey, which keeps nothing on disk.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::folder::Folder;
use crate::missing::{skip, told};
use crate::program::{advice, on_path};
use crate::server::{Server, free_port};

/// The user says that this machine has no Redis.
const WITHOUT: &str = "MIEN_WITHOUT_REDIS";

/// Runs until dropped. Its port outlives the process; its keys do not.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    program: PathBuf,
    port: u16,
}

impl Redis {
    /// On a free port, empty, ready; `None` if there is none, which skips the test.
    #[track_caller]
    pub fn if_present() -> Option<Self> {
        let Some(program) = program() else {
            skip(&advice("redis-server", "redis-server"));
            return None;
        };
        let server = Server::new("Redis", Folder::new("mien-redis-", None));
        let mut redis = Self { server, program, port: free_port() };
        redis.start_again();
        Some(redis)
    }

    /// Restarts it in place, empty.
    pub fn start_again(&mut self) {
        let port = self.port;
        let mut command = Command::new(&self.program);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]);
        command.arg(self.server.folder().path()).args(["--appendonly", "no"]);
        self.server.start(&mut command, || answers(port));
    }

    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Freezes it: connections stay open, nothing is answered.
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

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn program() -> Option<PathBuf> {
    if told(WITHOUT) {
        return None;
    }
    on_path("redis-server").or_else(|| on_path("valkey-server"))
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let mut said = [0; 5];
    stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
        && stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut said).is_ok()
        && said == *b"+PONG"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_killed_frozen_and_started_again() {
        let Some(mut redis) = Redis::if_present() else { return };
        redis.freeze();
        assert!(!answers(redis.port()), "it is frozen");
        redis.thaw();
        assert!(answers(redis.port()));
        redis.kill();
        assert!(!redis.runs());
        redis.start_again();
        assert!(redis.runs());
    }
}
