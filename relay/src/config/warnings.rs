//! What the relay warns about at startup: settings that work, but that few would want if they knew.

use std::net::SocketAddr;

use super::auth_mode::AuthMode;
use super::database::is_postgres;
use super::resolved::Config;
use super::settings;
use super::url::{unknown_parameters, without_a_word_on_encryption};

/// One of them, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error(
        "MIEN_AUTH=open: whoever reaches {0} may read and erase everything; where a proxy or a tunnel leads to it, set MIEN_AUTH=token and MIEN_TOKEN_SECRET"
    )]
    Open(SocketAddr),
    #[error(
        "everyone on this machine can see the secret in {flag}; say it in the variable {variable}{}",
        or_in_file(variable)
    )]
    SecretInArguments { flag: String, variable: &'static str },
    #[error(
        "MIEN_DATABASE_URL does not say whether to encrypt what goes to {host}; add sslmode=verify-full and sslrootcert=FILE, or sslmode=disable where nobody else is on the network between"
    )]
    NothingOnEncryption { host: String },
    #[error("MIEN_DATABASE_URL has a parameter without effect, {0}; correct it or take it out")]
    UnknownParameter(String),
}

fn or_in_file(variable: &str) -> String {
    let in_file = settings::ALL.iter().any(|setting| setting.variable == variable && setting.in_file);
    if in_file { format!(", or in a file that {variable}_FILE names") } else { String::new() }
}

impl Config {
    /// For the log, once, before anything is served.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.auth == AuthMode::Open {
            warnings.push(Warning::Open(self.listen));
        }
        if is_postgres(&self.database_url) {
            let silent = without_a_word_on_encryption(&self.database_url);
            warnings.extend(silent.map(|host| Warning::NothingOnEncryption { host }));
            warnings
                .extend(unknown_parameters(&self.database_url).into_iter().map(Warning::UnknownParameter));
        }
        warnings
    }
}
