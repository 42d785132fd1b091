//! What was said: flags and environment, as clap reads them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use mien_shared::limits::{MAX_MARKERS, MAX_SOURCES};

use super::auth_mode::AuthMode;
use super::lifetime::read_lifetime;
use super::limits::SESSIONS_PER_USER;

/// Settings as flags and environment say them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Address to listen on
    #[arg(long, env = "MIEN_LISTEN", global = true, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where samples are stored: `sqlite:FILE`, relative to the working directory or absolute, or
    /// `postgres://USER:PASSWORD@HOST/DATABASE`, with `?sslmode=…` where it must be encrypted; in a password, `@` is
    /// written as %40, `/` as %2F, `?` as %3F, `#` as %23 and `%` as %25 [default: sqlite:mien.db]
    #[arg(long, env = "MIEN_DATABASE_URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,
    /// Database connections at most; over SQLite, whose readers are threads of the relay, no more than two a processor
    /// and one, or five
    #[arg(long, env = "MIEN_DATABASE_MAX_CONNECTIONS", global = true, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_max_connections: u32,
    /// Redis or Valkey that relays over one database share: `redis://USER:PASSWORD@HOST:PORT`, or `rediss://` for TLS
    #[arg(long, env = "MIEN_REDIS_URL", global = true, hide_env_values = true)]
    pub redis_url: Option<String>,
    /// Who may create sessions; open is for one's own machine, without a proxy before it [default: open on loopback,
    /// token elsewhere]
    #[arg(long, env = "MIEN_AUTH", global = true)]
    pub auth: Option<AuthMode>,
    /// Key that signs tokens, at least 32 bytes; in open mode over SQLite one is made and kept beside the database
    #[arg(long, env = "MIEN_TOKEN_SECRET", global = true, hide_env_values = true)]
    pub token_secret: Option<String>,
    /// File that holds what MIEN_TOKEN_SECRET would
    #[arg(long, env = "MIEN_TOKEN_SECRET_FILE", global = true)]
    pub token_secret_file: Option<PathBuf>,
    /// An older secret, whose tokens are still accepted
    #[arg(long, env = "MIEN_TOKEN_SECRET_PREVIOUS", global = true, hide_env_values = true)]
    pub token_secret_previous: Option<String>,
    /// File that holds what MIEN_DATABASE_URL would
    #[arg(long, env = "MIEN_DATABASE_URL_FILE", global = true)]
    pub database_url_file: Option<PathBuf>,
    /// File that holds what MIEN_REDIS_URL would
    #[arg(long, env = "MIEN_REDIS_URL_FILE", global = true)]
    pub redis_url_file: Option<PathBuf>,
    /// Samples a second of one user
    #[arg(long, env = "MIEN_SAMPLES_PER_SECOND", global = true, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub samples_per_second: u32,
    /// Samples of one user at once
    #[arg(long, env = "MIEN_SAMPLES_BURST", global = true, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub samples_burst: u32,
    /// HTTP requests a second of one user
    #[arg(long, env = "MIEN_REQUESTS_PER_SECOND", global = true, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub requests_per_second: u32,
    /// HTTP requests of one user at once
    #[arg(long, env = "MIEN_REQUESTS_BURST", global = true, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    pub requests_burst: u32,
    /// Samples at which a commit takes no more messages
    #[arg(long, env = "MIEN_BATCH_SIZE", global = true, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch_size: u32,
    /// Milliseconds for which a commit waits for more samples: a quarter of it where few come, up to twelve
    /// times as long while many come steadily
    #[arg(long, env = "MIEN_BATCH_INTERVAL_MS", global = true, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    pub batch_interval_ms: u64,
    /// WebSockets at most
    #[arg(long, env = "MIEN_MAX_CONNECTIONS", global = true, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// HTTP connections of one address at most, not counting WebSockets; a trusted proxy may have all there are
    #[arg(long, env = "MIEN_MAX_HTTP_CONNECTIONS_PER_ADDRESS", global = true, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_http_connections_per_address: u32,
    /// WebSockets of one user at most
    #[arg(long, env = "MIEN_MAX_SOCKETS_PER_USER", global = true, default_value_t = 2_500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_sockets_per_user: u32,
    /// WebSockets of one session at most
    #[arg(long, env = "MIEN_MAX_SOCKETS_PER_SESSION", global = true, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_sockets_per_session: u32,
    /// WebSockets of one token at most
    #[arg(long, env = "MIEN_MAX_SOCKETS_PER_TOKEN", global = true, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_sockets_per_token: u32,
    /// Sessions of one user at most
    #[arg(long, env = "MIEN_MAX_SESSIONS_PER_USER", global = true, default_value_t = SESSIONS_PER_USER, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_sessions_per_user: u32,
    /// Sources of one session at most
    #[arg(long, env = "MIEN_MAX_SOURCES_PER_SESSION", global = true, default_value_t = MAX_SOURCES as u32, value_parser = clap::value_parser!(u32).range(1..=MAX_SOURCES as i64))]
    pub max_sources_per_session: u32,
    /// Markers of one session at most
    #[arg(long, env = "MIEN_MAX_MARKERS_PER_SESSION", global = true, default_value_t = MAX_MARKERS as u32, value_parser = clap::value_parser!(u32).range(1..=MAX_MARKERS as i64))]
    pub max_markers_per_session: u32,
    /// The longest life of a token that can be asked for, as a number and s, m, h or d
    #[arg(long, env = "MIEN_MAX_TOKEN_TTL", global = true, default_value = "30d", value_parser = read_lifetime)]
    pub max_token_ttl: Duration,
    /// Path under which a proxy serves the relay, for example `/mien` [default: none]
    #[arg(long, env = "MIEN_BASE_PATH", global = true)]
    pub base_path: Option<String>,
    /// Addresses or networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted,
    /// separated by commas [default: none]
    #[arg(long, env = "MIEN_TRUSTED_PROXIES", global = true, value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
    /// Address of a listener of its own for `/metrics`, which is then answered there alone [default: none]
    #[arg(long, env = "MIEN_METRICS_LISTEN", global = true)]
    pub metrics_listen: Option<SocketAddr>,
    /// Origins of other pages that may use the relay, separated by commas, for example `https://example.org`; also the
    /// page's own where a proxy in front does not pass on `Host` with its port; in open mode only those of this machine
    /// [default: its own alone]
    #[arg(long, env = "MIEN_ALLOWED_ORIGINS", global = true, value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// Seconds in which a shutdown must be done
    #[arg(long, env = "MIEN_SHUTDOWN_SECONDS", global = true, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub shutdown_seconds: u64,
    /// Days after which sessions are erased: from their completion, or where they were never completed and nobody is
    /// connected, from their last sample [default: never]
    #[arg(long, env = "MIEN_RETENTION_DAYS", global = true, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub retention_days: Option<u32>,
    /// OpenTelemetry collector for traces, over HTTP, for example http://127.0.0.1:4318
    #[arg(long, env = "MIEN_OTLP_ENDPOINT", global = true, hide_env_values = true)]
    pub otlp_endpoint: Option<String>,
    /// What is logged, as `level` or `target=level,…`; of libraries no more than `debug`, whatever it says
    #[arg(long, env = "MIEN_LOG", global = true, default_value = "info")]
    pub log: String,
}
