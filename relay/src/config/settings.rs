//! The settings as given: flags and environment, as clap reads them. Each setting is defined here, once.

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeBounds;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedI64ValueParser;
use mien_shared::limits::{MAX_MARKERS, MAX_SOURCES};

use super::auth_mode::AuthMode;
use super::lifetime::read_lifetime;
use super::limits::SESSIONS_PER_USER;

/// What a value may reveal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// All of it is secret.
    Secret,
    /// It may hold a password.
    Url,
}

/// A setting, as far as other modules need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// Of the argument.
    pub(super) id: &'static str,
    pub(super) variable: &'static str,
    pub(super) kind: Kind,
    /// Whether `…_FILE` may name a file that holds the value.
    pub(super) in_file: bool,
}

/// One definition yields a setting's flag and variable, its help, its row in `docs/PROTOCOL.md`, its field in
/// [`InForce`], which the resolver must fill in for `mien-relay check`, and whether its value is kept out of listings
/// and warned about on a command line.
///
/// A definition consists of: its help; what its value may reveal; variable and field, and `or` with the field that
/// names a file if the value may also be in one; the type; and further clap options, such as the allowed values.
macro_rules! settings {
    ($(
        $(#[$help:meta])*
        $kind:ident $variable:literal $name:ident $(or $file:ident)?: $type:ty $(, $argument:ident = $value:expr)*;
    )*) => {
        /// Settings as flags and environment say them.
        #[derive(Clone, Debug, Args)]
        #[command(next_help_heading = "Settings")]
        pub struct Settings {$(
            $(#[$help])*
            #[arg(
                long, env = $variable, global = true, hide_env_values = !matches!(Kind::$kind, Kind::Plain)
                $(, $argument = $value)*
            )]
            pub $name: $type,
            $(
                #[arg(
                    long, env = concat!($variable, "_FILE"), global = true,
                    help = concat!("File that holds what ", $variable, " would")
                )]
                pub $file: Option<PathBuf>,
            )?
        )*}

        pub(super) const ALL: &[Setting] = &[$(
            Setting {
                id: stringify!($name),
                variable: $variable,
                kind: Kind::$kind,
                in_file: {
                    let files: &[&str] = &[$(stringify!($file))?];
                    !files.is_empty()
                },
            },
        )*];

        /// What is in force, setting by setting, in a form that may be shown.
        pub(super) struct InForce {$(
            pub(super) $name: String,
        )*}

        /// One line each.
        impl fmt::Display for InForce {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let lines = [$(format!("{:<29} {}", $variable, self.$name)),*];
                f.write_str(&lines.join("\n"))
            }
        }
    };
}

settings! {
    /// Address to listen on
    Plain "MIEN_LISTEN" listen: SocketAddr, default_value = "127.0.0.1:8080";
    /// Where samples are stored: `sqlite:FILE`, relative to the working directory or absolute, or
    /// `postgres://USER:PASSWORD@HOST/DATABASE`, with `?sslmode=…` where it must be encrypted; in a password, `@` is
    /// written as %40, `/` as %2F, `?` as %3F, `#` as %23 and `%` as %25 [default: sqlite:mien.db]
    Url "MIEN_DATABASE_URL" database_url or database_url_file: Option<String>;
    /// Database connections at most; over SQLite, whose readers are threads of the relay, no more than two a processor
    /// and one, or five
    Plain "MIEN_DATABASE_MAX_CONNECTIONS" database_max_connections: u32, default_value_t = 25, value_parser = count(1..=1_000);
    /// Redis or Valkey that relays over one database share: `redis://USER:PASSWORD@HOST:PORT`, or `rediss://` for TLS
    Url "MIEN_REDIS_URL" redis_url or redis_url_file: Option<String>;
    /// Who may create sessions; open is for one's own machine, without a proxy before it [default: open on loopback,
    /// token elsewhere]
    Plain "MIEN_AUTH" auth: Option<AuthMode>;
    /// Key that signs tokens, at least 32 bytes; in open mode over SQLite one is made and kept beside the database
    Secret "MIEN_TOKEN_SECRET" token_secret or token_secret_file: Option<String>;
    /// An older secret, whose tokens are still accepted
    Secret "MIEN_TOKEN_SECRET_PREVIOUS" token_secret_previous: Option<String>;
    /// Samples a second of one user
    Plain "MIEN_SAMPLES_PER_SECOND" samples_per_second: u32, default_value_t = 200, value_parser = count(1..);
    /// Samples of one user at once
    Plain "MIEN_SAMPLES_BURST" samples_burst: u32, default_value_t = 2_000, value_parser = count(1..);
    /// HTTP requests a second of one user
    Plain "MIEN_REQUESTS_PER_SECOND" requests_per_second: u32, default_value_t = 20, value_parser = count(1..);
    /// HTTP requests of one user at once
    Plain "MIEN_REQUESTS_BURST" requests_burst: u32, default_value_t = 40, value_parser = count(1..);
    /// Samples at which a commit takes no more messages
    Plain "MIEN_BATCH_SIZE" batch_size: u32, default_value_t = 2_000, value_parser = count(1..=100_000);
    /// Milliseconds for which a commit waits for more samples: a quarter of it where few come, up to twelve
    /// times as long while many come steadily
    Plain "MIEN_BATCH_INTERVAL_MS" batch_interval_ms: u64, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=10_000);
    /// WebSockets at most
    Plain "MIEN_MAX_CONNECTIONS" max_connections: u32, default_value_t = 10_000, value_parser = count(1..=1_000_000);
    /// HTTP connections of one address at most, not counting WebSockets; a trusted proxy may have all there are
    Plain "MIEN_MAX_HTTP_CONNECTIONS_PER_ADDRESS" max_http_connections_per_address: u32, default_value_t = 256, value_parser = count(1..=100_000);
    /// WebSockets of one user at most
    Plain "MIEN_MAX_SOCKETS_PER_USER" max_sockets_per_user: u32, default_value_t = 2_500, value_parser = count(1..=1_000_000);
    /// WebSockets of one session at most
    Plain "MIEN_MAX_SOCKETS_PER_SESSION" max_sockets_per_session: u32, default_value_t = 1_000, value_parser = count(1..=1_000_000);
    /// WebSockets of one token at most
    Plain "MIEN_MAX_SOCKETS_PER_TOKEN" max_sockets_per_token: u32, default_value_t = 600, value_parser = count(1..=1_000_000);
    /// Sessions of one user at most
    Plain "MIEN_MAX_SESSIONS_PER_USER" max_sessions_per_user: u32, default_value_t = SESSIONS_PER_USER, value_parser = count(1..);
    /// Sources of one session at most
    Plain "MIEN_MAX_SOURCES_PER_SESSION" max_sources_per_session: u32, default_value_t = MAX_SOURCES as u32, value_parser = count(1..=MAX_SOURCES as i64);
    /// Markers of one session at most
    Plain "MIEN_MAX_MARKERS_PER_SESSION" max_markers_per_session: u32, default_value_t = MAX_MARKERS as u32, value_parser = count(1..=MAX_MARKERS as i64);
    /// The longest life of a token that can be asked for, as a number and s, m, h or d
    Plain "MIEN_MAX_TOKEN_TTL" max_token_ttl: Duration, default_value = "30d", value_parser = read_lifetime;
    /// Path under which a proxy serves the relay, for example `/mien` [default: none]
    Plain "MIEN_BASE_PATH" base_path: Option<String>;
    /// Addresses or networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted,
    /// separated by commas [default: none]
    Plain "MIEN_TRUSTED_PROXIES" trusted_proxies: Vec<String>, value_delimiter = ',';
    /// Address of a listener of its own for `/metrics`, which is then answered there alone [default: none]
    Plain "MIEN_METRICS_LISTEN" metrics_listen: Option<SocketAddr>;
    /// Origins of other pages that may use the relay, separated by commas, for example `https://example.org`; also the
    /// page's own where a proxy in front does not pass on `Host` with its port; in open mode only those of this machine
    /// [default: its own alone]
    Plain "MIEN_ALLOWED_ORIGINS" allowed_origins: Vec<String>, value_delimiter = ',';
    /// Seconds in which a shutdown must be done
    Plain "MIEN_SHUTDOWN_SECONDS" shutdown_seconds: u64, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600);
    /// Days after which sessions are erased: from their completion, or where they were never completed and nobody is
    /// connected, from their last sample [default: never]
    Plain "MIEN_RETENTION_DAYS" retention_days: Option<u32>, value_parser = count(1..=36_500);
    /// OpenTelemetry collector for traces, over HTTP, for example http://127.0.0.1:4318
    Url "MIEN_OTLP_ENDPOINT" otlp_endpoint: Option<String>;
    /// What is logged, as `level` or `target=level,…`; of libraries no more than `debug`, whatever it says
    Plain "MIEN_LOG" log: String, default_value = "info";
}

fn count(range: impl RangeBounds<i64>) -> RangedI64ValueParser<u32> {
    RangedI64ValueParser::new().range(range)
}
