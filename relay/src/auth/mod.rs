//! Tokens: who calls, what they may do, and which tokens were revoked.

mod caller;
mod claims;
mod hs256;
mod key;
mod revoked;
mod stamp;
mod token;

pub use caller::{Caller, Credentials, Forbidden, Grant, LOCAL_USER, Need};
pub use key::TokenKey;
pub use revoked::{Revocation, Revoked};
pub use stamp::Stamp;
pub use token::{BadToken, Issue, Token};
