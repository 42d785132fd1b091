//! Whether Redis lets the relay do what it must. A Redis user that may connect may still lack the rights to publish, to
//! use our keys or to run scripts, and then relays would not find each other while everything seems fine.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use redis::{Pipeline, RedisError, RedisResult};
use uuid::Uuid;

use super::client::Redis;
use super::keys::{
    ALL, bucket_key, claim_key, gone_key, live_channel, presence_key, samples_channel, session_key,
    window_key,
};
use super::scripts::{CHARGE, CLAIM, PRESENT, SHARE};
use super::seal::Seal;
use super::subscriber::Subscriber;

/// Life of what a trial writes.
const SECONDS: u64 = 5;
/// Received by all relays, and understood by none.
const NOTHING: &str = "{}";

impl Redis {
    /// Does everything that relays do there once, with keys and channels of its own.
    pub async fn try_all(&self) -> RedisResult<()> {
        self.try_calls().await?;
        Subscriber::connect(self).await.map(drop)
    }

    /// The same without a new connection.
    pub(super) async fn try_calls(&self) -> RedisResult<()> {
        match self.0.pool.run::<()>(&calls(SessionId(Uuid::now_v7()), self.seal())).await {
            // It evicts nothing. What it refuses then is dispensable, and the rest works.
            Err(cause) if is_out_of_memory(&cause) => Ok(()),
            tried => tried,
        }
    }
}

fn calls(id: SessionId, seal: &Seal) -> Pipeline {
    let source = SourceName::default();
    let window = window_key(id, &source);
    let mut pipeline = redis::pipe();
    pipeline.set_ex(session_key(id), "", SECONDS).ignore().get(session_key(id)).ignore();
    // On its own, as the script ignores a window that takes nothing.
    pipeline.xadd(&window, "*", &[("m", "")]).ignore().expire(&window, SECONDS as i64).ignore();
    let share = SHARE.call(&[gone_key(id), window.clone()]).arg(samples_channel(id)).arg(SECONDS).arg(1);
    pipeline.add_command(share.command()).ignore();
    pipeline.xrange_count(&window, "-", "+", 1).ignore();
    let present = PRESENT.call(&[presence_key(id)]).arg("nobody").arg("{}").arg(SECONDS * 1_000);
    pipeline.add_command(present.arg(live_channel(id)).arg(NOTHING).command()).ignore();
    let claim = CLAIM.call(&[claim_key(id, &source)]).arg(SECONDS).arg(live_channel(id)).arg(id.to_string());
    pipeline.add_command(claim.arg(source.as_str()).arg(1).arg(0).command()).ignore();
    let charge = CHARGE.call(&[bucket_key("trial", &id.to_string())]).arg(1).arg(1);
    pipeline.add_command(charge.command()).ignore();
    pipeline.del(&[session_key(id), window, presence_key(id)]).ignore();
    // Sealed, or other relays would warn of a forger.
    pipeline.publish(ALL, seal.close(ALL, NOTHING)).ignore();
    pipeline
}

fn is_out_of_memory(cause: &RedisError) -> bool {
    let errors = cause.clone().into_server_errors();
    errors.is_some_and(|errors| errors.iter().all(|(_, error)| error.code() == "OOM"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::metrics::Metrics;
    use mien_servers::Redis as Server;
    use redis::RedisResult;

    async fn say(server: &Server, line: &str) {
        let client = redis::Client::open(server.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut words = line.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| _ = command.arg(word));
        let () = command.query_async(&mut connection).await.unwrap();
    }

    async fn try_as(server: &Server, user: &str) -> RedisResult<()> {
        let url = server.url().replace("redis://", &format!("redis://{user}:x@"));
        Redis::new(&url.parse().unwrap(), Metrics::new()).try_all().await
    }

    #[test]
    fn what_all_relays_hear_of_it_is_sealed() {
        let seal = Seal::new(&[7; 32], None);
        let calls = calls(SessionId(Uuid::nil()), &seal);
        let said: Vec<Vec<&[u8]>> = (calls.cmd_iter())
            .map(|call| {
                let words = call.args_iter().map(|word| match word {
                    redis::Arg::Simple(word) => word,
                    _ => &[],
                });
                words.collect::<Vec<_>>()
            })
            .filter(|words| words[..2] == [b"PUBLISH".as_slice(), ALL.as_bytes()])
            .collect();
        assert_eq!(said.len(), 1);
        assert_eq!(seal.open(ALL, said[0][2]), Some(NOTHING.as_bytes()));
    }

    #[tokio::test]
    async fn a_user_who_may_not_do_all_is_found_out() {
        let Some(server) = Server::if_present() else { return };
        say(&server, "ACL SETUSER all on >x ~mien:* &mien:* +@all").await;
        try_as(&server, "all").await.unwrap();
        for (user, rights) in [
            ("mute", "~mien:* resetchannels +@all"),
            ("deaf", "~mien:* &mien:* +@all -subscribe"),
            ("foreign", "~other:* &mien:* +@all"),
            ("reader", "%R~mien:* &mien:* +@all"),
            ("unscripted", "~mien:* &mien:* +@all -evalsha"),
            ("shelved", "~mien:* &mien:* +@all -xadd"),
        ] {
            say(&server, &format!("ACL SETUSER {user} on >x {rights}")).await;
            let cause = try_as(&server, user).await.unwrap_err().to_string();
            let told = cause.contains("NOPERM") || cause.contains("NoPerm") || cause.contains("permission");
            assert!(told, "{user}: {cause}");
        }
    }

    #[tokio::test]
    async fn one_without_memory_still_passes_messages_on() {
        let Some(server) = Server::if_present() else { return };
        say(&server, "CONFIG SET maxmemory 1").await;
        Redis::new(&server.url().parse().unwrap(), Metrics::new()).try_all().await.unwrap();
    }

    #[tokio::test]
    async fn the_metric_says_whether_it_serves() {
        let Some(server) = Server::if_present() else { return };
        say(&server, "ACL SETUSER all on >x ~mien:* &mien:* +@all").await;
        let url = server.url().replace("redis://", "redis://all:x@");
        let redis = Redis::new(&url.parse().unwrap(), Metrics::new());
        let probe = tokio::spawn(redis.clone().probe());
        let mut here = redis.here();
        here.wait_for(|here| *here).await.unwrap();
        assert_eq!(redis.0.metrics.redis_up.get(), 1);
        // This does not close open connections, and they still answer a ping.
        say(&server, "ACL SETUSER all resetchannels").await;
        here.wait_for(|here| !here).await.unwrap();
        say(&server, "ACL SETUSER all &mien:*").await;
        here.wait_for(|here| *here).await.unwrap();
        probe.abort();
    }
}
