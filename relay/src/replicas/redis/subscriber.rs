//! A connection that carries the channels, and calls beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::MultiplexedConnection;
use redis::{PushInfo, RedisResult};
use tokio::sync::mpsc;

use super::client::Redis;
use super::keys::ALL;
use super::pool;

/// Messages that were received and not yet read. When it is full, the store is read instead.
const INBOX_CAPACITY: usize = 4_096;

/// A connection with its channels.
pub(super) struct Subscriber {
    pub(super) connection: MultiplexedConnection,
    pub(super) inbox: mpsc::Receiver<PushInfo>,
    /// A message came and there was no room for it.
    pub(super) missed: Arc<AtomicBool>,
}

impl Subscriber {
    pub(super) async fn connect(redis: &Redis) -> RedisResult<Self> {
        let (sender, inbox) = mpsc::channel(INBOX_CAPACITY);
        let missed = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&missed);
        let config = pool::timeouts().set_push_sender(move |push: PushInfo| {
            if sender.try_send(push).is_err() {
                note.store(true, Ordering::Relaxed);
            }
            Ok::<(), ()>(())
        });
        let mut connection = pool::connect(redis.0.pool.client(), &config).await?;
        connection.subscribe(ALL).await?;
        Ok(Self { connection, inbox, missed })
    }
}
