//! `cargo xtask dev`: `trunk serve` and a relay that restarts when its sources change.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::files::Fingerprint;
use crate::install::{rust, tools};
use crate::process::{Companion, Interrupt};
use crate::{relay, workspace};

/// The sources of the relay.
const RELAY_SOURCES: [&str; 5] =
    ["relay/Cargo.toml", "relay/build.rs", "relay/src", "shared/src", "Cargo.toml"];
/// Both are in Trunk.toml, and the page knows the relay by this address.
const PAGE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
const RELAY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Short enough not to be noticed, and long enough that reading half a megabyte of sources each time costs nothing.
const CHECK_EVERY: Duration = Duration::from_millis(700);
const POLL: Duration = Duration::from_millis(50);

pub(crate) fn dev() -> anyhow::Result<ExitCode> {
    relay::refuse_taken(PAGE)?;
    relay::refuse_taken(RELAY)?;
    rust::ensure()?;
    let toolbox = tools::ensure(&[tools::WASM_BINDGEN, tools::TRUNK])?;
    let interrupt = Interrupt::catch()?;

    // The relay first: Trunk's build would make it wait for Cargo's lock.
    let mut seen = sources()?;
    let mut running = start_relay();
    let mut trunk = toolbox.command(toolbox.program(tools::TRUNK, "trunk"))?;
    trunk.args(["serve", "--disable-address-lookup=true"]);
    // Not in `dist/`, so that the next `run` finds its own page unchanged.
    trunk.arg("--dist").arg(workspace::target().join("dev-page"));
    // Trunk 0.21 takes it for an option of its own and refuses every value except true and false.
    trunk.env_remove("NO_COLOR");
    let mut trunk = Companion::start(&mut trunk)?;
    println!("\nMien will be at http://{PAGE} as soon as the page is built    (Ctrl-C stops it)\n");

    let mut looked = Instant::now();
    while !interrupt.came() {
        if let Some(status) = trunk.ended()? {
            bail!("`{}` ended with {status}", trunk.name());
        }
        thread::sleep(POLL);
        if looked.elapsed() < CHECK_EVERY {
            continue;
        }
        let now = sources()?;
        if now != seen {
            seen = now;
            eprintln!("[dev] the relay's sources changed");
            if let Some(mut old) = running.take() {
                old.stop()?;
            }
            running = start_relay();
        }
        looked = Instant::now();
    }
    Ok(ExitCode::SUCCESS)
}

/// `None` if it does not build: the next change tries again, and the page carries on without it.
fn start_relay() -> Option<Companion> {
    let mut command = relay::command(RELAY);
    command.env("MIEN_ALLOWED_ORIGINS", format!("http://{PAGE},http://localhost:{}", PAGE.port()));
    match relay::build().and_then(|()| Companion::start(&mut command)) {
        Ok(relay) => Some(relay),
        Err(fault) => {
            eprintln!("[dev] no relay until the next change: {fault:#}");
            None
        }
    }
}

fn sources() -> anyhow::Result<String> {
    let mut fingerprint = Fingerprint::default();
    for path in RELAY_SOURCES {
        fingerprint.path(&workspace::root().join(path))?;
    }
    Ok(fingerprint.finish())
}
