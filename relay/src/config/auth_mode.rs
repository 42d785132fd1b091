//! Whether a token is required.

/// How callers are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AuthMode {
    /// Whoever reaches the relay is the user `local`. Only on loopback.
    Open,
    /// A user token is required.
    Token,
}
