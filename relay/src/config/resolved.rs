//! The configuration in force: [`Settings`] checked once, before anything starts. A setting that this build cannot
//! honour stops the start with a message that says what to do: nothing is silently ignored.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use mien_shared::limits::MIN_SECRET_BYTES;

use super::auth_mode::AuthMode;
use super::database::is_postgres;
use super::error::ConfigError;
use super::limits::{PendingLimits, Quota, Rate, SocketQuota, Timeouts};
use super::redis_url::RedisUrl;
use super::secret::Secret;
use super::settings::{InForce, Settings};
use super::url::{self, without_secrets};
use super::{generated_secret, origin, secret_file};

const TOKEN_SECRET: &str = "MIEN_TOKEN_SECRET";
const DATABASE_URL: &str = "MIEN_DATABASE_URL";
const REDIS_URL: &str = "MIEN_REDIS_URL";
/// Where samples are stored by default.
const DEFAULT_DATABASE: &str = "sqlite:mien.db";

/// HTTP connections of all addresses: those that wait for a request or for their turn, and those being answered. A
/// browser opens six of them; each costs a handle and about 10 KiB.
const MAX_HTTP_CONNECTIONS: usize = 4_096;

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub database_url: String,
    pub database_max_connections: u32,
    pub redis: Option<RedisUrl>,
    pub auth: AuthMode,
    pub token_secret: Secret,
    /// An older secret, whose tokens are still accepted.
    pub previous_secret: Option<Secret>,
    pub samples: Rate,
    pub requests: Rate,
    pub batch_size: usize,
    pub batch_interval: Duration,
    pub max_connections: usize,
    /// Maximum number of HTTP connections, whatever state they are in; lowered if the system allows few handles.
    pub max_http_connections: usize,
    pub max_http_connections_per_address: usize,
    pub sockets: SocketQuota,
    pub quota: Quota,
    /// The longest life of a token that can be asked for.
    pub max_token_ttl: Duration,
    /// Starts with `/` and does not end with one; empty at the root.
    pub base_path: String,
    pub trusted_proxies: Vec<IpNet>,
    pub metrics_listen: Option<SocketAddr>,
    /// As browsers write them.
    pub allowed_origins: Vec<String>,
    pub shutdown: Duration,
    pub retention: Option<Duration>,
    pub otlp_endpoint: Option<String>,
    pub log: String,
    pub timeouts: Timeouts,
    pub pending: PendingLimits,
}

impl Config {
    /// Checks the settings. May generate and keep a secret, in open mode.
    pub fn resolve(settings: Settings) -> Result<Self, ConfigError> {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let redis_url = secret_file::text(REDIS_URL, settings.redis_url, settings.redis_url_file)?;
        if redis_url.as_deref().is_some_and(|url| !url::can_be_told_apart(url)) {
            return Err(ConfigError::AmbiguousAddress(REDIS_URL));
        }
        let redis = redis_url.map(|url| url.parse()).transpose().map_err(ConfigError::BadRedis)?;
        let otlp_endpoint = said(settings.otlp_endpoint);
        if otlp_endpoint.as_ref().is_some_and(|address| !address.starts_with("http://")) {
            return Err(ConfigError::BadCollector);
        }
        let url = secret_file::text(DATABASE_URL, settings.database_url, settings.database_url_file)?
            .unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
        let postgres = is_postgres(&url);
        if !postgres && !url.starts_with("sqlite:") {
            return Err(ConfigError::UnknownDatabase);
        }
        if postgres && !url::can_be_told_apart(&url) {
            return Err(ConfigError::AmbiguousAddress(DATABASE_URL));
        }
        let loopback = settings.listen.ip().to_canonical().is_loopback();
        let auth = settings.auth.unwrap_or(if loopback { AuthMode::Open } else { AuthMode::Token });
        if auth == AuthMode::Open && !loopback {
            return Err(ConfigError::OpenBeyondLoopback(settings.listen));
        }
        let allowed_origins = read_origins(&settings.allowed_origins)?;
        if auth == AuthMode::Open
            && let Some(foreign) = allowed_origins.iter().find(|origin| !origin::is_of_loopback(origin))
        {
            return Err(ConfigError::OpenToOtherPages(foreign.clone()));
        }
        let token_secret =
            match secret_file::bytes(TOKEN_SECRET, settings.token_secret, settings.token_secret_file)? {
                Some(bytes) if bytes.len() < MIN_SECRET_BYTES => {
                    return Err(ConfigError::ShortSecret(bytes.len()));
                }
                Some(bytes) => Secret::new(bytes),
                // Relays that share a Postgres must share the secret too, so there it must be set and is not generated.
                None if auth == AuthMode::Open && !postgres => generated_secret::kept_beside(&url)?,
                None => return Err(ConfigError::NoSecret),
            };
        let previous_secret = match said(settings.token_secret_previous) {
            Some(text) if text.len() < MIN_SECRET_BYTES => {
                return Err(ConfigError::ShortPreviousSecret(text.len()));
            }
            text => text.map(|text| Secret::new(text.into_bytes())),
        };
        let trusted_proxies = (settings.trusted_proxies.iter().map(|text| text.trim()))
            .filter(|text| !text.is_empty())
            .map(read_network)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            listen: settings.listen,
            database_url: url,
            database_max_connections: settings.database_max_connections,
            redis,
            auth,
            token_secret,
            previous_secret,
            samples: Rate { per_second: settings.samples_per_second, burst: settings.samples_burst },
            requests: Rate { per_second: settings.requests_per_second, burst: settings.requests_burst },
            batch_size: settings.batch_size as usize,
            batch_interval: Duration::from_millis(settings.batch_interval_ms),
            max_connections: settings.max_connections as usize,
            max_http_connections: MAX_HTTP_CONNECTIONS,
            max_http_connections_per_address: settings.max_http_connections_per_address as usize,
            sockets: SocketQuota {
                per_user: settings.max_sockets_per_user as usize,
                per_session: settings.max_sockets_per_session as usize,
                per_token: settings.max_sockets_per_token as usize,
            },
            quota: Quota {
                sessions: settings.max_sessions_per_user,
                sources_per_session: settings.max_sources_per_session,
                markers_per_session: settings.max_markers_per_session,
            },
            max_token_ttl: settings.max_token_ttl,
            base_path: read_base_path(settings.base_path.as_deref().unwrap_or_default())?,
            trusted_proxies,
            metrics_listen: settings.metrics_listen,
            allowed_origins,
            shutdown: Duration::from_secs(settings.shutdown_seconds),
            retention: settings.retention_days.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
            otlp_endpoint,
            log: settings.log,
            timeouts: Timeouts::default(),
            pending: PendingLimits::default(),
        })
    }
}

/// A slash at the end is what people copy from an address bar.
fn read_origins(said: &[String]) -> Result<Vec<String>, ConfigError> {
    let said = said.iter().map(|one| one.trim()).filter(|one| !one.is_empty());
    said.map(|one| {
        origin::normal(one.strip_suffix('/').unwrap_or(one))
            .map_err(|cause| ConfigError::BadOrigin { said: one.to_owned(), cause })
    })
    .collect()
}

fn read_network(text: &str) -> Result<IpNet, ConfigError> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(|address| address.to_canonical().into()))
        .map_err(|_| ConfigError::BadProxy(text.to_owned()))
}

/// With or without slashes at its ends; only characters that need no escaping in a URL, in HTML or in a proxy's rules.
fn read_base_path(text: &str) -> Result<String, ConfigError> {
    let inner = text.trim_matches('/');
    let plain = |part: &str| {
        let mut bytes = part.bytes();
        !matches!(part, "" | "." | "..")
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
    };
    match inner {
        "" => Ok(String::new()),
        // Below it, the relay's own paths could not be told from those that a proxy has stripped.
        inner if inner.split('/').next() == Some("api") => Err(ConfigError::BadBasePath(text.to_owned())),
        inner if inner.split('/').all(plain) => Ok(format!("/{inner}")),
        _ => Err(ConfigError::BadBasePath(text.to_owned())),
    }
}

/// What is in force, one line each, for `mien-relay check`.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn or<T: ToString>(value: Option<T>, otherwise: &str) -> String {
            value.map_or_else(|| otherwise.to_owned(), |value| value.to_string())
        }
        fn list<T: ToString>(values: &[T], otherwise: &str) -> String {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            if values.is_empty() { otherwise.to_owned() } else { values.join(",") }
        }
        InForce {
            listen: self.listen.to_string(),
            database_url: without_secrets(&self.database_url),
            database_max_connections: self.database_max_connections.to_string(),
            redis_url: or(self.redis.as_ref(), "(none)"),
            auth: match self.auth {
                AuthMode::Open => "open".to_owned(),
                AuthMode::Token => "token".to_owned(),
            },
            token_secret: format!("{:?}", self.token_secret),
            token_secret_previous: or(
                self.previous_secret.as_ref().map(|secret| format!("{secret:?}")),
                "(none)",
            ),
            samples_per_second: self.samples.per_second.to_string(),
            samples_burst: self.samples.burst.to_string(),
            requests_per_second: self.requests.per_second.to_string(),
            requests_burst: self.requests.burst.to_string(),
            batch_size: self.batch_size.to_string(),
            batch_interval_ms: self.batch_interval.as_millis().to_string(),
            max_connections: self.max_connections.to_string(),
            max_http_connections_per_address: self.max_http_connections_per_address.to_string(),
            max_sockets_per_user: self.sockets.per_user.to_string(),
            max_sockets_per_session: self.sockets.per_session.to_string(),
            max_sockets_per_token: self.sockets.per_token.to_string(),
            max_sessions_per_user: self.quota.sessions.to_string(),
            max_sources_per_session: self.quota.sources_per_session.to_string(),
            max_markers_per_session: self.quota.markers_per_session.to_string(),
            max_token_ttl: format!("{}s", self.max_token_ttl.as_secs()),
            base_path: or(Some(&self.base_path).filter(|path| !path.is_empty()), "(none)"),
            trusted_proxies: list(&self.trusted_proxies, "(none)"),
            metrics_listen: or(self.metrics_listen, "(with the rest)"),
            allowed_origins: list(&self.allowed_origins, "(its own)"),
            shutdown_seconds: self.shutdown.as_secs().to_string(),
            retention_days: or(self.retention.map(|keep| keep.as_secs() / 86_400), "(never)"),
            otlp_endpoint: or(self.otlp_endpoint.as_deref().map(without_secrets), "(none)"),
            log: self.log.clone(),
        }
        .fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_paths_read() {
        for (said, held) in
            [("", ""), ("/", ""), ("mien", "/mien"), ("/mien/", "/mien"), ("/a/b-1.c", "/a/b-1.c")]
        {
            assert_eq!(read_base_path(said).unwrap(), held, "{said}");
        }
        for bad in ["/api", "/api/x", "/a//b", "/a/../b", "/.", "/a b", "/ä", "/a?b", "/a%20b", "https://x/y"]
        {
            assert!(read_base_path(bad).is_err(), "{bad}");
        }
    }
}
