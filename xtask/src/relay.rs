//! The relay: built, and run alongside us until it is ready.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::process::{Companion, Interrupt};
use crate::{process, workspace};

/// If a relay is not ready by then, it has logged the reason.
const READY_DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(25);

pub(crate) fn build() -> anyhow::Result<()> {
    process::succeed(workspace::cargo().args(["build", "--release", "--locked", "-p", "mien-relay"]))
}

/// The relay on the database of this checkout, `mien.db`, unless the environment names another.
pub(crate) fn command(listen: SocketAddr) -> Command {
    let mut command = workspace::command(workspace::relay());
    command.env("MIEN_LISTEN", listen.to_string());
    let says = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !says("MIEN_DATABASE_URL") && !says("MIEN_DATABASE_URL_FILE") {
        command.env("MIEN_DATABASE_URL", format!("sqlite:{}", workspace::root().join("mien.db").display()));
    }
    command
}

/// Better to fail now than after minutes of building.
pub(crate) fn refuse_taken(listen: SocketAddr) -> anyhow::Result<()> {
    TcpListener::bind(listen).map(drop).with_context(|| format!("cannot serve at {listen}"))
}

/// False if interrupted before it is ready.
pub(crate) fn wait_until_ready(
    relay: &mut Companion,
    listen: SocketAddr,
    interrupt: &Interrupt,
) -> anyhow::Result<bool> {
    let deadline = Instant::now() + READY_DEADLINE;
    while !interrupt.came() {
        if let Some(status) = relay.ended()? {
            bail!("`{}` ended with {status} before it was ready", relay.name());
        }
        if is_ready(reachable(listen)) {
            return Ok(true);
        }
        if Instant::now() > deadline {
            bail!("`{}` was not ready within {} s", relay.name(), READY_DEADLINE.as_secs());
        }
        thread::sleep(POLL);
    }
    Ok(false)
}

/// The address at which a browser on this machine finds it.
pub(crate) fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    listen
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(&head == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
