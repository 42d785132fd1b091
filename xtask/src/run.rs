//! `cargo xtask run`: everything from one binary over SQLite.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::process::{Companion, Interrupt};
use crate::tools;
use crate::{page, process, workspace};

/// A relay that is not ready by then has a reason, which it has logged.
const READY_DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(25);

#[derive(Args)]
pub(crate) struct Options {
    /// Address to serve at.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    refuse_taken(options.listen).context("choose another address with --listen HOST:PORT")?;
    let toolbox = tools::ensure(tools::PAGE)?;
    page::build(&toolbox)?;
    build_relay()?;

    let interrupt = Interrupt::catch()?;
    let mut relay = Companion::start(&mut relay_command(options.listen))?;
    if wait_until_ready(&mut relay, options.listen, &interrupt)? {
        println!("\nMien is ready: http://{}    (Ctrl-C stops it)\n", reachable(options.listen));
        while !interrupt.came() && relay.ended()?.is_none() {
            thread::sleep(POLL);
        }
    }
    let status = relay.stop()?;
    // The relay's own word: 0 after a clean stop.
    Ok(u8::try_from(status.code().unwrap_or(1)).map_or(ExitCode::FAILURE, ExitCode::from))
}

pub(crate) fn build_relay() -> anyhow::Result<()> {
    process::succeed(workspace::cargo().args(["build", "--release", "--locked", "-p", "mien-relay"]))
}

/// The relay on the database of this checkout, `mien.db`, unless the environment names another.
pub(crate) fn relay_command(listen: SocketAddr) -> Command {
    let mut command = workspace::command(workspace::relay());
    command.env("MIEN_LISTEN", listen.to_string());
    let says = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !says("MIEN_DATABASE_URL") && !says("MIEN_DATABASE_URL_FILE") {
        command.env("MIEN_DATABASE_URL", format!("sqlite:{}", workspace::root().join("mien.db").display()));
    }
    command
}

/// Better now than after ten minutes of building.
pub(crate) fn refuse_taken(listen: SocketAddr) -> anyhow::Result<()> {
    TcpListener::bind(listen).map(drop).with_context(|| format!("cannot serve at {listen}"))
}

/// False when interrupted before.
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

/// Where a browser on this machine finds it.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    listen
}

pub(crate) fn is_ready(address: SocketAddr) -> bool {
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
