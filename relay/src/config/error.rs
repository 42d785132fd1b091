//! Why the relay does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use mien_shared::limits::MIN_SECRET_BYTES;

use super::origin::BadOrigin;
use super::redis_url::BadRedisUrl;

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
    #[error("MIEN_TOKEN_SECRET_PREVIOUS has {0} bytes; it needs at least {MIN_SECRET_BYTES}")]
    ShortPreviousSecret(usize),
    #[error("MIEN_TRUSTED_PROXIES has `{0}`, which is no address; write for example 10.0.0.1 or 10.0.0.0/8")]
    BadProxy(String),
    #[error(
        "MIEN_BASE_PATH is `{0}`; write a path of letters, digits and -._~ between slashes that does not begin with api, for example /mien"
    )]
    BadBasePath(String),
    #[error(
        "MIEN_REDIS_URL is no address of a Redis ({0}); write for example redis://127.0.0.1:6379, or rediss:// for TLS"
    )]
    BadRedis(#[source] BadRedisUrl),
    #[error(
        "MIEN_OTLP_ENDPOINT is no http:// address; write for example http://127.0.0.1:4318, a collector on this machine or network"
    )]
    BadCollector,
    #[error(
        "MIEN_DATABASE_URL names no database that this build knows; write `sqlite:FILE` or `postgres://…`"
    )]
    UnknownDatabase,
    #[error("MIEN_ALLOWED_ORIGINS has `{said}`, which no browser sends: {cause}")]
    BadOrigin { said: String, cause: BadOrigin },
    #[error(
        "MIEN_ALLOWED_ORIGINS names {0}, which is not of this machine, and MIEN_AUTH=open lets anyone in; take it out, or set MIEN_AUTH=token and MIEN_TOKEN_SECRET"
    )]
    OpenToOtherPages(String),
    #[error(
        "{0} cannot be read as it is; in its user and its password write %40 for @, %2F for /, %3F for ?, %23 for # and %25 for %"
    )]
    AmbiguousAddress(&'static str),
    #[error("{0} and {0}_FILE are both set; keep one of them")]
    SaidTwice(&'static str),
    #[error("{variable}_FILE names {}, which cannot be used: {cause}", path.display())]
    File { variable: &'static str, path: PathBuf, cause: std::io::Error },
    #[error("the token secret in {} cannot be used: {cause}", path.display())]
    SecretFile { path: PathBuf, cause: std::io::Error },
}
