//! What the relay is told: flags, then the environment, then defaults; checked once, before anything starts.
//!
//! [`Settings`] is what was said, [`Config`] what holds. A setting that this build cannot honour stops the
//! start with a sentence that says what to do: nothing is silently ignored.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use mien_shared::limits::{HEADERS_TIMEOUT, HELLO_TIMEOUT, MIN_SECRET_BYTES, PING_EVERY, SILENCE};

use crate::auth::AuthMode;
use crate::limiter::Rate;
use crate::redis::{Address, BadAddress};
use crate::{secret, store};

/// Settings as flags and environment say them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Address to listen on
    #[arg(long, env = "MIEN_LISTEN", global = true, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where samples are stored: `sqlite:FILE`, relative to the working directory or absolute, or
    /// `postgres://USER:PASSWORD@HOST/DATABASE`, with `?sslmode=…` where it must be encrypted
    #[arg(
        long,
        env = "MIEN_DATABASE_URL",
        global = true,
        default_value = "sqlite:mien.db",
        hide_env_values = true
    )]
    pub database_url: String,
    /// Database connections at most; over SQLite, whose readers are threads of the relay, no more than two a processor
    /// and one, or five
    #[arg(long, env = "MIEN_DATABASE_MAX_CONNECTIONS", global = true, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_max_connections: u32,
    /// Redis or Valkey that relays over one database share: `redis://HOST:PORT`, or `rediss://` for TLS
    #[arg(long, env = "MIEN_REDIS_URL", global = true, hide_env_values = true)]
    pub redis_url: Option<String>,
    /// Who may create sessions [default: open on loopback, token elsewhere]
    #[arg(long, env = "MIEN_AUTH", global = true)]
    pub auth: Option<AuthMode>,
    /// Key that signs tokens, at least 32 bytes; in open mode over SQLite one is made and kept beside the database
    #[arg(long, env = "MIEN_TOKEN_SECRET", global = true, hide_env_values = true)]
    pub token_secret: Option<String>,
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
    /// Origins of other pages that may use the relay, parted by commas, for example `https://example.org`; also the
    /// page's own where a proxy in front does not pass on `Host` with its port [default: its own alone]
    #[arg(long, env = "MIEN_ALLOWED_ORIGINS", global = true, value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// Seconds in which a shutdown must be done
    #[arg(long, env = "MIEN_SHUTDOWN_SECONDS", global = true, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub shutdown_seconds: u64,
    /// Days after which completed sessions are erased [default: never]
    #[arg(long, env = "MIEN_RETENTION_DAYS", global = true, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub retention_days: Option<u32>,
    /// OpenTelemetry collector for traces, over HTTP, for example http://127.0.0.1:4318
    #[arg(long, env = "MIEN_OTLP_ENDPOINT", global = true, hide_env_values = true)]
    pub otlp_endpoint: Option<String>,
    /// What is logged, as `level` or `target=level,…`
    #[arg(long, env = "MIEN_LOG", global = true, default_value = "info")]
    pub log: String,
}

/// What holds, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub database_url: String,
    pub database_max_connections: u32,
    pub redis: Option<Address>,
    pub auth: AuthMode,
    pub token_secret: Secret,
    pub samples: Rate,
    pub requests: Rate,
    pub batch_size: usize,
    pub batch_interval: Duration,
    pub max_connections: usize,
    pub allowed_origins: Vec<String>,
    pub shutdown: Duration,
    pub retention: Option<Duration>,
    pub otlp_endpoint: Option<String>,
    pub log: String,
    pub timings: Timings,
}

/// How long sockets wait. The contract's figures; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    pub hello: Duration,
    pub ping: Duration,
    pub silence: Duration,
    pub headers: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self { hello: HELLO_TIMEOUT, ping: PING_EVERY, silence: SILENCE, headers: HEADERS_TIMEOUT }
    }
}

/// Bytes that never show up in a log or a listing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Why the relay does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "MIEN_AUTH=open lets anyone in who reaches {0}; listen on 127.0.0.1 or set MIEN_AUTH=token and MIEN_TOKEN_SECRET"
    )]
    OpenBeyondLoopback(SocketAddr),
    #[error(
        "MIEN_TOKEN_SECRET is missing; set it to at least {MIN_SECRET_BYTES} random bytes, for example from `openssl rand -hex 32`"
    )]
    NoSecret,
    #[error("MIEN_TOKEN_SECRET has {0} bytes; it needs at least {MIN_SECRET_BYTES}")]
    ShortSecret(usize),
    #[error(
        "MIEN_REDIS_URL is no address of a Redis ({0}); write for example redis://127.0.0.1:6379, or rediss:// for TLS"
    )]
    BadRedis(#[source] BadAddress),
    #[error(
        "MIEN_OTLP_ENDPOINT is no http:// address; write for example http://127.0.0.1:4318, a collector on this machine or network"
    )]
    BadCollector,
    #[error(
        "MIEN_DATABASE_URL names no database that this build knows; write `sqlite:FILE` or `postgres://…`"
    )]
    UnknownDatabase,
    #[error("MIEN_ALLOWED_ORIGINS has `{0}`, which is no origin; write for example https://example.org")]
    BadOrigin(String),
    #[error("the token secret in {} cannot be used: {cause}", path.display())]
    SecretFile { path: PathBuf, cause: std::io::Error },
}

impl Config {
    /// Checks what was said. May make and keep a secret, in open mode.
    pub fn resolve(settings: Settings) -> Result<Self, ConfigError> {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let redis =
            said(settings.redis_url).map(|url| url.parse()).transpose().map_err(ConfigError::BadRedis)?;
        let otlp_endpoint = said(settings.otlp_endpoint);
        if otlp_endpoint.as_ref().is_some_and(|address| !address.starts_with("http://")) {
            return Err(ConfigError::BadCollector);
        }
        let url = settings.database_url;
        let postgres = store::is_postgres(&url);
        if !postgres && !url.starts_with("sqlite:") {
            return Err(ConfigError::UnknownDatabase);
        }
        let loopback = settings.listen.ip().to_canonical().is_loopback();
        let auth = settings.auth.unwrap_or(if loopback { AuthMode::Open } else { AuthMode::Token });
        if auth == AuthMode::Open && !loopback {
            return Err(ConfigError::OpenBeyondLoopback(settings.listen));
        }
        let token_secret = match said(settings.token_secret) {
            Some(text) if text.len() < MIN_SECRET_BYTES => return Err(ConfigError::ShortSecret(text.len())),
            Some(text) => Secret::new(text.into_bytes()),
            // Relays that share a Postgres must share the secret too, so there it is said, not made.
            None if auth == AuthMode::Open && !postgres => secret::kept_beside(&url)?,
            None => return Err(ConfigError::NoSecret),
        };
        let origins: Vec<String> = settings
            .allowed_origins
            .into_iter()
            .map(|one| one.trim().to_owned())
            .filter(|one| !one.is_empty())
            .collect();
        if let Some(bad) = origins.iter().find(|one| !is_origin(one)) {
            return Err(ConfigError::BadOrigin(bad.clone()));
        }
        Ok(Self {
            listen: settings.listen,
            database_url: url,
            database_max_connections: settings.database_max_connections,
            redis,
            auth,
            token_secret,
            samples: Rate { per_second: settings.samples_per_second, burst: settings.samples_burst },
            requests: Rate { per_second: settings.requests_per_second, burst: settings.requests_burst },
            batch_size: settings.batch_size as usize,
            batch_interval: Duration::from_millis(settings.batch_interval_ms),
            max_connections: settings.max_connections as usize,
            allowed_origins: origins,
            shutdown: Duration::from_secs(settings.shutdown_seconds),
            retention: settings.retention_days.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
            otlp_endpoint,
            log: settings.log,
            timings: Timings::default(),
        })
    }
}

/// Scheme, host and perhaps a port; nothing after.
fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty() && !rest.is_empty() && !rest.contains(['/', '?', '#', '*', ' '])
    })
}

/// A URL that may be shown.
pub(crate) fn without_password(url: &str) -> String {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        // A password may hold an `@`; a host cannot.
        let (login, place) = rest.rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}://{user}:(hidden)@{place}"))
    };
    let url = parts().unwrap_or_else(|| url.to_owned());
    match url.split_once("password=") {
        Some((before, rest)) => {
            let after = rest.find('&').map_or("", |end| &rest[end..]);
            format!("{before}password=(hidden){after}")
        }
        None => url,
    }
}

/// What is in force, one line each, for `mien-relay check`.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let auth = match self.auth {
            AuthMode::Open => "open",
            AuthMode::Token => "token",
        };
        let origins = if self.allowed_origins.is_empty() {
            "(its own)".to_owned()
        } else {
            self.allowed_origins.join(",")
        };
        let retention =
            self.retention.map_or("(never)".to_owned(), |keep| (keep.as_secs() / 86_400).to_string());
        writeln!(f, "MIEN_LISTEN                   {}", self.listen)?;
        writeln!(f, "MIEN_DATABASE_URL             {}", without_password(&self.database_url))?;
        writeln!(f, "MIEN_DATABASE_MAX_CONNECTIONS {}", self.database_max_connections)?;
        let redis = self.redis.as_ref().map_or("(none)".to_owned(), ToString::to_string);
        writeln!(f, "MIEN_REDIS_URL                {redis}")?;
        writeln!(f, "MIEN_AUTH                     {auth}")?;
        writeln!(f, "MIEN_TOKEN_SECRET             {:?}", self.token_secret)?;
        writeln!(f, "MIEN_SAMPLES_PER_SECOND       {}", self.samples.per_second)?;
        writeln!(f, "MIEN_SAMPLES_BURST            {}", self.samples.burst)?;
        writeln!(f, "MIEN_REQUESTS_PER_SECOND      {}", self.requests.per_second)?;
        writeln!(f, "MIEN_REQUESTS_BURST           {}", self.requests.burst)?;
        writeln!(f, "MIEN_BATCH_SIZE               {}", self.batch_size)?;
        writeln!(f, "MIEN_BATCH_INTERVAL_MS        {}", self.batch_interval.as_millis())?;
        writeln!(f, "MIEN_MAX_CONNECTIONS          {}", self.max_connections)?;
        writeln!(f, "MIEN_ALLOWED_ORIGINS          {origins}")?;
        writeln!(f, "MIEN_SHUTDOWN_SECONDS         {}", self.shutdown.as_secs())?;
        writeln!(f, "MIEN_RETENTION_DAYS           {retention}")?;
        let collector = self.otlp_endpoint.as_deref().map_or("(none)".to_owned(), without_password);
        writeln!(f, "MIEN_OTLP_ENDPOINT            {collector}")?;
        write!(f, "MIEN_LOG                      {}", self.log)
    }
}
