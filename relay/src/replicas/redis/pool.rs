//! Connections to Redis: ten at most, five of them dialled ahead.
//!
//! The client library could send everything over one connection, and for the channels (`subscriber.rs`) it does. Here
//! each call has a connection to itself, so that a long pipeline of samples never delays the look-up of a caller that
//! waits.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, Pipeline, RedisError, RedisResult};
use tokio::sync::Semaphore;

use super::scripts;
use crate::config::RedisUrl;

const MAX_CONNECTIONS: usize = 10;
/// Ready before anyone asks, so that a burst of calls does not wait for handshakes.
const READY_CONNECTIONS: usize = 5;
/// Attempts after one that failed together with its connection; making a call twice does no harm.
const RETRIES: usize = 3;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for a call to be written and its answer to be read.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) struct Pool {
    client: Client,
    permits: Semaphore,
    idle: Mutex<Vec<MultiplexedConnection>>,
}

/// The timeouts of every connection.
pub(super) fn timeouts() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
}

/// A connection that knows all scripts.
pub(super) async fn connect(
    client: &Client,
    config: &AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    let ready = async {
        let mut connection = client.get_multiplexed_async_connection_with_config(config).await?;
        scripts::load(&mut connection).await?;
        Ok(connection)
    };
    tokio::time::timeout(CONNECT_TIMEOUT, ready).await.unwrap_or_else(|_| Err(timed_out()))
}

fn timed_out() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

impl Pool {
    pub(super) fn new(address: &RedisUrl) -> Self {
        Self { client: address.client(), permits: Semaphore::new(MAX_CONNECTIONS), idle: Mutex::default() }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Runs a pipeline on a connection of its own; waits while all ten are taken.
    pub(super) async fn run<T: FromRedisValue>(&self, pipeline: &Pipeline) -> RedisResult<T> {
        // Never closed, so the permit is always given.
        let _permit = self.permits.acquire().await;
        let mut attempts = 0..RETRIES;
        loop {
            let taken = self.idle().pop();
            let mut connection = match taken {
                Some(connection) => connection,
                None => connect(&self.client, &timeouts()).await?,
            };
            match pipeline.query_async(&mut connection).await {
                Ok(answer) => {
                    self.idle().push(connection);
                    return Ok(answer);
                }
                // Redis was restarted or lost its scripts, so the other connections are stale, too.
                Err(cause) if is_stale(&cause) && attempts.next().is_some() => self.idle().clear(),
                Err(cause) => {
                    if !is_broken(&cause) {
                        self.idle().push(connection);
                    }
                    return Err(cause);
                }
            }
        }
    }

    /// Dials until enough connections are ready.
    pub(super) async fn fill(&self) -> RedisResult<()> {
        while self.idle().len() < READY_CONNECTIONS {
            let Ok(_permit) = self.permits.try_acquire() else { return Ok(()) };
            let connection = connect(&self.client, &timeouts()).await?;
            self.idle().push(connection);
        }
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<MultiplexedConnection>> {
        // A list of handles: nothing can be half done.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_stale(cause: &RedisError) -> bool {
    (is_broken(cause) && !cause.is_timeout()) || cause.code() == Some("NOSCRIPT")
}

/// Whether the connection is unusable; otherwise Redis answered, and refused.
pub(super) fn is_broken(cause: &RedisError) -> bool {
    cause.is_io_error() || cause.is_unrecoverable_error()
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("idle", &self.idle().len()).finish_non_exhaustive()
    }
}
