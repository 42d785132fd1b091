//! `mien-relay`: serves without a subcommand, and knows four more: `token`, `check`, `backup` and `health`.

use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use mien_relay::auth::{Caller, TokenKey};
use mien_relay::cli::health;
use mien_relay::config::{self, Config, Settings, Warning, read_lifetime};
use mien_relay::observe::metrics::Metrics;
use mien_relay::observe::telemetry;
use mien_relay::replicas::redis::{Redis, Seal};
use mien_relay::serve;
use mien_relay::store::Store;

/// The static binary's own allocator is slow where threads share it, and the usual one costs a tenth of a sample.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

fn main() -> ExitCode {
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
    // Only one that serves has anything to trace.
    let collector = cli.settings.otlp_endpoint.as_deref().filter(|_| cli.command.is_none());
    let telemetry = telemetry::init(&cli.settings.log, collector.filter(|address| !address.is_empty()))
        .context("MIEN_OTLP_ENDPOINT cannot be used; write for example http://127.0.0.1:4318")?;
    warn(warnings);
    let ended = run(cli);
    telemetry.finish();
    ended
}

fn warn(warnings: &[Warning]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}

/// Half of the processors: the store needs the others, here or in its own process. Where samples come from many
/// connections, more threads only wake each other, which costs a fifth of a sample.
fn run(cli: Cli) -> anyhow::Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors.div_ceil(2))
        .enable_all()
        .build()
        .context("threads cannot be started")?;
    let ended = runtime.block_on(carry_out(cli));
    // What is still being read by then, nobody waits for.
    runtime.shutdown_background();
    ended
}

async fn carry_out(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => {
            let config = Config::resolve(cli.settings)?;
            warn(&config.warnings());
            serve::run(config).await
        }
        Some(Command::Health) => {
            let listen = cli.settings.listen;
            let alive = health::is_alive(listen).with_context(|| format!("nothing answers on {listen}"))?;
            anyhow::ensure!(alive, "the relay on {listen} is not well");
            Ok(())
        }
        Some(Command::Token { user, ttl }) => {
            let config = Config::resolve(cli.settings)?;
            anyhow::ensure!(!user.is_empty(), "--user is empty");
            let now =
                u64::try_from(mien_relay::clock::now().as_second()).context("the clock is before 1970")?;
            let caller = Caller { user, grant: None };
            println!("{}", TokenKey::of(&config).sign(&caller, now + ttl.as_secs()));
            Ok(())
        }
        Some(Command::Backup { file }) => {
            let config = Config::resolve(cli.settings)?;
            let bytes = Store::backup(&config.database_url, &file).await?;
            println!("copied the database to {}: {bytes} bytes", file.display());
            Ok(())
        }
        Some(Command::Check) => {
            let config = Config::resolve(cli.settings)?;
            println!("{config}");
            warn(&config.warnings());
            if Store::awaits_migration(&config.database_url).await? {
                println!(
                    "the store answers; an older mien-relay made it, and the next start brings it up to date"
                );
            } else {
                let store =
                    Store::open(&config.database_url, config.database_max_connections, &Metrics::new())
                        .await?;
                store.ready().await.context("the store does not answer")?;
                store.try_write().await.context("the store answers, and takes nothing")?;
                let sessions = store.count_sessions().await?;
                store.close().await;
                println!("the store answers and takes writes; sessions in it: {sessions}");
            }
            if let Some(address) = &config.redis {
                let redis = Redis::sealed(address, Metrics::new(), Seal::of(&config));
                redis.try_all().await.map_err(|cause| {
                    let what =
                        if cause.is_io_error() { "does not answer" } else { "refuses what relays do there" };
                    anyhow::anyhow!("Redis {what} ({cause}); the relay would serve without it")
                })?;
                println!("Redis answers, and allows what relays do there");
            }
            Ok(())
        }
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
