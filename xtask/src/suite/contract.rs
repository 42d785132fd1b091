//! The contract as outsiders read it: tools that know only the document that a relay serves.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use super::counts::Counts;
use crate::install::python::Python;
use crate::process::{self, Companion, Interrupt};
use crate::{relay, workspace};

/// The same requests each time, so that a run that passed passes again.
const SEED: &str = "20251123";
/// Generated requests per operation, besides those at its limits.
const EXAMPLES: &str = "25";
/// Effectively no limits, as far as the readers can tell.
const RATE: &str = "1000000";

/// Runs all readers against one relay, each to its end.
pub(super) fn perform(python: &Python) -> anyhow::Result<(Counts, Option<String>)> {
    let folder = workspace::target().join("contract");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    // Free at this moment: the kernel hands out other ports before it comes back to this one.
    let listen = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let log = folder.join("relay.log");
    let mut command = relay(&folder, listen);
    command.stdout(File::create(&log)?).stderr(File::options().append(true).open(&log)?);
    let mut relay = Companion::start(&mut command)?;
    ensure!(relay::wait_until_ready(&mut relay, listen, &Interrupt::never())?, "the relay was not ready");
    let outcome = read(python, &folder, listen);
    let status = relay.stop()?;
    if !status.success() {
        bail!("the relay ended with {status}; see {}", log.display());
    }
    outcome
}

/// A relay that requires tokens, with its database in `folder`.
fn relay(folder: &Path, listen: SocketAddr) -> Command {
    let mut command = Command::new(workspace::relay());
    command.current_dir(folder).envs([
        ("MIEN_LISTEN", listen.to_string().as_str()),
        ("MIEN_DATABASE_URL", "sqlite:mien.db"),
        ("MIEN_AUTH", "token"),
        ("MIEN_TOKEN_SECRET", "for the readers of the contract, no other"),
        ("MIEN_REQUESTS_PER_SECOND", RATE),
        ("MIEN_REQUESTS_BURST", RATE),
    ]);
    command
}

fn read(python: &Python, folder: &Path, listen: SocketAddr) -> anyhow::Result<(Counts, Option<String>)> {
    let url = format!("http://{listen}");
    let token = process::text(relay(folder, listen).args(["token", "--user", "reader"]))
        .context("the relay gives no token")?;
    let mut fuzz = python.command("schemathesis");
    fuzz.args(["run", &format!("{url}/api/v1/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--seed", SEED, "--max-examples", EXAMPLES, "--continue-on-failure"]);
    let mut readers = vec![("schemathesis", fuzz)];
    for script in ["client.py", "tables.py"] {
        let mut reader = python.command("python");
        reader.arg(workspace::root().join(workspace::CONTRACT_READERS).join(script));
        reader.env("MIEN_URL", &url).env("MIEN_TOKEN", &token);
        readers.push((script, reader));
    }
    let (mut counts, mut fault) = (Counts::default(), None);
    for (name, reader) in &mut readers {
        eprintln!("── {name} ──");
        // Files that they leave behind do not belong in the checkout.
        let status = reader.current_dir(folder).status().with_context(|| format!("{name} did not start"))?;
        if status.success() {
            counts.passed += 1;
        } else {
            counts.failed += 1;
            fault.get_or_insert_with(|| format!("{name} ended with {status}"));
        }
    }
    Ok((counts, fault))
}
