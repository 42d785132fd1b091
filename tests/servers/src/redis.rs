//! Redis or Valkey, which keeps nothing on disk.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;

use crate::folder::Folder;
use crate::program::{missing, on_path};
use crate::server::{Server, free_port};

/// Set where the machine has no Redis and whoever runs the tests was told.
const WITHOUT: &str = "MIEN_WITHOUT_REDIS";

/// Runs until dropped. Its port outlives the process; its keys do not.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    port: u16,
}

impl Redis {
    /// On a free port, empty, ready.
    pub fn start() -> Self {
        let mut redis =
            Self { server: Server::new("Redis", Folder::new("mien-redis-", None)), port: free_port() };
        redis.start_again();
        redis
    }

    /// The same, or `None` where the environment says that there is none (`MIEN_WITHOUT_REDIS`).
    pub fn if_present() -> Option<Self> {
        std::env::var_os(WITHOUT).is_none().then(Self::start)
    }

    /// Starts it again where it was, empty.
    pub fn start_again(&mut self) {
        let program = on_path("redis-server")
            .or_else(|| on_path("valkey-server"))
            .unwrap_or_else(|| missing("redis-server", "redis-server"));
        let port = self.port;
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]);
        command.arg(self.server.folder().path()).args(["--appendonly", "no"]);
        self.server.start(&mut command, || answers(port));
    }

    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Stops its time: connections stand, nothing is answered.
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
