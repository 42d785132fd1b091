//! Prints the settings in force, and tries the store and Redis.

use anyhow::Context;

use super::warn::warn;
use crate::config::{Config, RedisUrl, Settings};
use crate::observe::metrics::Metrics;
use crate::replicas::redis::{Redis, Seal};
use crate::store::Store;

pub(super) async fn check(settings: Settings) -> anyhow::Result<()> {
    let config = Config::resolve(settings)?;
    println!("{config}");
    warn(&config.warnings());
    check_store(&config).await?;
    if let Some(address) = &config.redis {
        check_redis(address, &config).await?;
    }
    Ok(())
}

async fn check_store(config: &Config) -> anyhow::Result<()> {
    if Store::awaits_migration(&config.database_url).await? {
        println!("the store answers; an older mien-relay made it, and the next start brings it up to date");
        return Ok(());
    }
    let wait = Metrics::new().pool_wait_seconds;
    let store = Store::open(&config.database_url, config.database_max_connections, wait).await?;
    store.ready().await.context("the store does not answer")?;
    store.try_write().await.context("the store answers, and takes nothing")?;
    let sessions = store.count_sessions().await?;
    store.close().await;
    println!("the store answers and takes writes; sessions in it: {sessions}");
    Ok(())
}

async fn check_redis(address: &RedisUrl, config: &Config) -> anyhow::Result<()> {
    let redis = Redis::sealed(address, Metrics::new(), Seal::of(config));
    redis.try_all().await.map_err(|cause| {
        let what = if cause.is_io_error() { "does not answer" } else { "refuses what relays do there" };
        anyhow::anyhow!("Redis {what} ({cause}); the relay would serve without it")
    })?;
    println!("Redis answers, and allows what relays do there");
    Ok(())
}
