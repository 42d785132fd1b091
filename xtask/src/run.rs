//! `cargo xtask run`: everything from one binary over SQLite.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::install::rust;
use crate::process::{Companion, Interrupt};
use crate::progress::{Progress, Stage};
use crate::{page, relay, workspace};

const POLL: Duration = Duration::from_millis(25);

#[derive(Args)]
pub(crate) struct Options {
    /// Address to serve at.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    relay::refuse_taken(options.listen).context("choose another address with --listen HOST:PORT")?;
    build()?;

    let interrupt = Interrupt::catch()?;
    let mut relay = Companion::start(&mut relay::command(options.listen))?;
    if relay::wait_until_ready(&mut relay, options.listen, &interrupt)? {
        let address = relay::reachable(options.listen);
        println!("\nMien is ready: http://{address}    (Ctrl-C stops it)\n");
        while !interrupt.came() && relay.ended()?.is_none() {
            thread::sleep(POLL);
        }
    }
    let status = relay.stop()?;
    // The relay's own exit status: 0 after a clean stop.
    Ok(u8::try_from(status.code().unwrap_or(1)).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn build() -> anyhow::Result<()> {
    // What is already there takes no noticeable time.
    let is_first = !workspace::relay().is_file();
    let mut progress = Progress::new(if is_first { Stage::FIRST_START } else { &[] });
    progress.begin(Stage::Crates);
    rust::ensure()?;
    if !page::is_built() {
        progress.begin(Stage::Bindgen);
        page::modules::build_bindgen()?;
    }
    progress.begin(Stage::Page);
    page::build()?;
    progress.begin(Stage::Relay);
    relay::build()?;
    progress.end();
    Ok(())
}
