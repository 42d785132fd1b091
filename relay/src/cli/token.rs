//! Prints a user token.

use std::time::Duration;

use anyhow::Context;

use crate::auth::{Caller, TokenKey};
use crate::config::{Config, Settings};

pub(super) fn print(settings: Settings, user: String, ttl: Duration) -> anyhow::Result<()> {
    let config = Config::resolve(settings)?;
    anyhow::ensure!(!user.is_empty(), "--user is empty");
    let now = u64::try_from(crate::clock::now().as_second()).context("the clock is before 1970")?;
    let caller = Caller { user, grant: None };
    println!("{}", TokenKey::of(&config).sign(&caller, now + ttl.as_secs()));
    Ok(())
}
