//! The relay's configuration: flags, then the environment, then defaults.
//!
//! [`Settings`] is what was given, [`Config`] what is in force.

mod auth_mode;
mod command_line;
mod database;
mod error;
mod generated_secret;
mod lifetime;
mod limits;
pub mod origin;
mod redis_url;
mod resolved;
mod secret;
mod secret_file;
mod settings;
mod url;
mod warnings;

pub use auth_mode::AuthMode;
pub use command_line::{ignore_empty_variables, secrets_in_arguments};
pub use database::{file_of, is_postgres};
pub use error::ConfigError;
pub use lifetime::read_lifetime;
pub use limits::{PendingLimits, Quota, Rate, SocketQuota, Timeouts};
pub use redis_url::{BadRedisUrl, RedisUrl};
pub use resolved::Config;
pub use secret::Secret;
pub use settings::Settings;
pub(crate) use url::without_secrets;
pub use warnings::Warning;
