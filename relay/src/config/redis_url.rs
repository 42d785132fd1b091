//! The URL of Redis, which never shows its credentials.

use std::fmt;
use std::str::FromStr;

use redis::{Client, IntoConnectionInfo, ProtocolVersion, RedisError};

/// A URL of `redis://`, `rediss://` (TLS) or `valkey://`, `valkeys://`.
#[derive(Clone)]
pub struct RedisUrl(Client);

/// Why a text is no [`RedisUrl`]. Without the text, which may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRedisUrl(String);

impl From<RedisError> for BadRedisUrl {
    fn from(cause: RedisError) -> Self {
        Self(cause.detail().unwrap_or("it cannot be read").to_owned())
    }
}

impl FromStr for RedisUrl {
    type Err = BadRedisUrl;

    fn from_str(text: &str) -> Result<Self, BadRedisUrl> {
        let info = text.into_connection_info()?;
        // Only this version lets channels and replies share one connection.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        // rustls needs a cryptography provider; one that the process chose earlier stays in place.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self(Client::open(info.set_redis_settings(settings))?))
    }
}

impl RedisUrl {
    pub(crate) fn client(&self) -> Client {
        self.0.clone()
    }
}

/// Host, port and number of the database, for listings.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.0.get_connection_info();
        let settings = info.redis_settings();
        let secrets = if settings.password().is_some() { ", credentials hidden" } else { "" };
        write!(f, "{} (database {}{secrets})", info.addr(), settings.db())
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_hidden() {
        let address: RedisUrl = "redis://anna:geheim@10.0.0.7:6380/2".parse().unwrap();
        assert_eq!(address.to_string(), "10.0.0.7:6380 (database 2, credentials hidden)");
        for good in ["rediss://h:1", "valkey://h", "redis://127.0.0.1"] {
            assert!(good.parse::<RedisUrl>().is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:6379", "http://h", "redis://anna:geheim@h:port", "redis://h/db"] {
            let cause = bad.parse::<RedisUrl>().unwrap_err().to_string();
            assert!(!cause.contains("geheim"), "{cause}");
        }
    }
}
