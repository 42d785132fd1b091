//! What is asked of the program.

use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::warn::warn;
use super::{check, health, token};
use crate::config::{self, Config, Settings, Warning, read_lifetime};
use crate::observe::telemetry;
use crate::serve;
use crate::store::Store;

/// The relay of Mien: takes expression samples, stores them, and passes them on
#[derive(Debug, Parser)]
#[command(name = "mien-relay", version)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a user token
    Token {
        /// The user it stands for
        #[arg(long)]
        user: String,
        /// How long it holds, as a number and s, m, h or d
        #[arg(long, default_value = "30d", value_parser = read_lifetime)]
        ttl: Duration,
    },
    /// Print the settings in force, secrets hidden, and try the store and Redis
    Check,
    /// Copy the SQLite database to a new file, also while a relay serves from it
    Backup {
        /// The copy, which must not be there yet
        file: PathBuf,
    },
    /// Ask the relay that listens here whether it is alive: exit code 0 if so, for a container's health check
    Health,
}

/// What the program does, and its exit code.
pub fn main() -> ExitCode {
    let matches = config::ignore_empty_variables(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|cause| cause.exit());
    match start(cli, &config::secrets_in_arguments(&matches)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("mien-relay: {cause:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli, warnings: &[Warning]) -> anyhow::Result<()> {
    // Only a relay that serves has anything to trace.
    let collector = cli.settings.otlp_endpoint.as_deref().filter(|_| cli.command.is_none());
    let telemetry = telemetry::init(&cli.settings.log, collector.filter(|address| !address.is_empty()))
        .context("MIEN_OTLP_ENDPOINT cannot be used; write for example http://127.0.0.1:4318")?;
    warn(warnings);
    let ended = run(cli);
    telemetry.finish();
    ended
}

/// One thread per two processors: the store needs the others, here or in its own process. When samples come from many
/// connections, more threads only wake each other, which costs a fifth of a sample.
fn run(cli: Cli) -> anyhow::Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors.div_ceil(2))
        .enable_all()
        .build()
        .context("threads cannot be started")?;
    let ended = runtime.block_on(dispatch(cli));
    // Unfinished reads are abandoned.
    runtime.shutdown_background();
    ended
}

async fn dispatch(cli: Cli) -> anyhow::Result<()> {
    let Cli { settings, command } = cli;
    match command {
        None => {
            let config = Config::resolve(settings)?;
            warn(&config.warnings());
            serve::run(config).await
        }
        Some(Command::Health) => {
            let listen = settings.listen;
            let alive = health::is_alive(listen).with_context(|| format!("nothing answers on {listen}"))?;
            anyhow::ensure!(alive, "the relay on {listen} is not well");
            Ok(())
        }
        Some(Command::Token { user, ttl }) => token::print(settings, user, ttl),
        Some(Command::Backup { file }) => {
            let config = Config::resolve(settings)?;
            let bytes = Store::backup(&config.database_url, &file).await?;
            println!("copied the database to {}: {bytes} bytes", file.display());
            Ok(())
        }
        Some(Command::Check) => check::check(settings).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
