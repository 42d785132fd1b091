//! `cargo xtask dev`: `trunk serve` and a relay that restarts when its sources change, at one address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::front::{self, Backends};
use crate::inputs::Fingerprint;
use crate::process::{Companion, Interrupt};
use crate::run::{build_relay, refuse_taken, relay_command};
use crate::{page, tools, workspace};

/// What the relay is made of.
const RELAY_SOURCES: [&str; 6] =
    ["relay/Cargo.toml", "relay/build.rs", "relay/src", "relay/migrations", "shared/src", "Cargo.toml"];
/// Short enough not to be waited for, long enough that reading half a megabyte of sources costs nothing.
const LOOK_EVERY: Duration = Duration::from_millis(700);
const POLL: Duration = Duration::from_millis(50);

#[derive(Args)]
pub(crate) struct Options {
    /// Address to serve at.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

pub(crate) fn dev(options: &Options) -> anyhow::Result<ExitCode> {
    refuse_taken(options.listen)?;
    let toolbox = tools::ensure(tools::PAGE)?;
    let backends = Backends { page: free_address()?, relay: free_address()? };
    let interrupt = Interrupt::catch()?;

    // The relay first: Trunk's build would make it wait for Cargo's lock.
    let mut seen = sources()?;
    let mut relay = start_relay(backends.relay);
    let mut trunk = toolbox.command(toolbox.program(tools::TRUNK, "trunk"))?;
    trunk.args(["serve", "--disable-address-lookup=true", "--port", &backends.page.port().to_string()]);
    // Apart from `dist/`, so that the next `run` finds its own page unchanged.
    trunk.arg("--dist").arg(workspace::target().join("dev-page"));
    page::without_color_trap(&mut trunk);
    let mut trunk = Companion::start(&mut trunk)?;
    front::serve(options.listen, backends)?;
    println!(
        "\nMien will be at http://{} as soon as the page is built    (Ctrl-C stops it)\n",
        options.listen
    );

    let mut looked = Instant::now();
    while !interrupt.came() && trunk.ended()?.is_none() {
        thread::sleep(POLL);
        if looked.elapsed() < LOOK_EVERY {
            continue;
        }
        let now = sources()?;
        if now != seen {
            seen = now;
            eprintln!("[dev] the relay's sources changed");
            if let Some(mut old) = relay.take() {
                old.stop()?;
            }
            relay = start_relay(backends.relay);
        }
        looked = Instant::now();
    }
    Ok(ExitCode::SUCCESS)
}

/// `None` when it does not build: the next change tries again, and the page goes on without it.
fn start_relay(listen: SocketAddr) -> Option<Companion> {
    match build_relay().and_then(|()| Companion::start(&mut relay_command(listen))) {
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

pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
