//! Sessions in Redis: what caches read there, and how all relays learn of a change.

use mien_shared::SessionId;
use mien_shared::api::{Session, SourceName};
use redis::Pipeline;
use serde::{Deserialize, Serialize};

use super::client::{Away, Redis};
use super::keys::{ALL, gone_key, presence_key, session_key, window_key};
use super::message::Notice;
use super::seal::Seal;
use super::window::LIFE_SECONDS;
use crate::auth::Revoked;
use crate::live::Change;

/// Life of what caches read: limits how long a change that was never announced can go unseen.
const SESSION_SECONDS: u64 = 60;
/// An entry older than that, with room for clock differences, is not trusted: somebody kept it and wrote it again.
const OLDEST_SECONDS: i64 = 2 * SESSION_SECONDS as i64;
/// For how long nothing is kept of a session that has changed: longer than an answer of the store from before the
/// change can take to arrive here.
const BLANK_SECONDS: u64 = 15;
/// Life of the mark of an erased session: longer than anything of it may still be in flight.
const GONE_SECONDS: u64 = 2 * LIFE_SECONDS;

/// A session as it stands in Redis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    Here { session: Session, revoked: Revoked },
    Erased,
}

/// The same with the time at which it was read from the store, Unix seconds.
#[derive(Serialize, Deserialize)]
struct Dated {
    at: i64,
    kept: Kept,
}

/// A change that the others must be told about.
#[derive(Clone, Debug)]
pub(crate) struct ChangeNotice {
    pub(crate) session: SessionId,
    pub(crate) change: Change,
    /// Its sources, where it was erased.
    pub(crate) sources: Vec<SourceName>,
}

impl Redis {
    /// Tells all relays about a change, at once or not at all.
    pub(crate) async fn publish_change(&self, notice: &ChangeNotice) -> Result<(), Away> {
        let mut pipeline = redis::pipe();
        notice.add_to(&mut pipeline, self.seal());
        self.quick(&pipeline).await
    }

    /// Whether any relay says that someone is connected to the session. The entries of a relay that died expire.
    pub(crate) async fn is_anyone_connected(&self, id: SessionId) -> Result<bool, Away> {
        let (there,): (bool,) = self.quick(redis::pipe().exists(presence_key(id))).await?;
        Ok(there)
    }

    /// What a cache wrote.
    pub(crate) async fn read_session(&self, id: SessionId) -> Result<Option<Kept>, Away> {
        let key = session_key(id);
        let (text,): (Option<Vec<u8>>,) = self.quick(redis::pipe().get(&key)).await?;
        // Blank, or written by another version and unreadable here: as good as absent.
        let text = text.filter(|text| !text.is_empty());
        let dated: Option<Dated> = text
            .and_then(|text| self.seal().open(&key, &text).map(serde_json::from_slice))
            .and_then(Result::ok);
        let age = |dated: &Dated| dated.at.abs_diff(crate::clock::now().as_second());
        Ok(dated.filter(|dated| age(dated) <= OLDEST_SECONDS.unsigned_abs()).map(|dated| dated.kept))
    }

    /// Writes what the store answered, unless something newer is there.
    pub(crate) async fn fill_session(&self, id: SessionId, kept: Kept) -> Result<(), Away> {
        let mut pipeline = redis::pipe();
        let key = session_key(id);
        let text = write_kept(self.seal(), &key, kept);
        pipeline.cmd("SET").arg(key).arg(text).arg("NX").arg("EX").arg(SESSION_SECONDS);
        self.quick(pipeline.ignore()).await
    }
}

impl ChangeNotice {
    pub(super) fn add_to(&self, pipeline: &mut Pipeline, seal: &Seal) {
        let Self { session, change, sources } = self;
        let key = session_key(*session);
        match change {
            Change::Erased => {
                pipeline.set_ex(gone_key(*session), 1, GONE_SECONDS).ignore();
                for source in sources {
                    pipeline.del(window_key(*session, source)).ignore();
                }
                pipeline.del(presence_key(*session)).ignore();
                // Final, so it may be cached.
                let text = write_kept(seal, &key, Kept::Erased);
                pipeline.set_ex(key, text, SESSION_SECONDS).ignore();
            }
            // Two changes may be reported in a different order from that in which they were made, so this one is not
            // for caches. Nor is the key deleted: an answer from before the change, still in flight, would fill it.
            Change::Updated(_) | Change::Revoked(_) => {
                pipeline.set_ex(key, "", BLANK_SECONDS).ignore();
            }
        }
        let notice = Notice::Changed { session: *session, change: change.clone() };
        pipeline.publish(ALL, seal.close(ALL, &notice.to_json())).ignore();
    }
}

fn write_kept(seal: &Seal, key: &str, kept: Kept) -> String {
    let dated = Dated { at: crate::clock::now().as_second(), kept };
    seal.close(key, &serde_json::to_string(&dated).expect("a session is plain JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::metrics::Metrics;
    use mien_servers::Redis as Server;

    fn named(title: &str) -> Session {
        let text = format!(
            r#"{{"id":"0195f0a2-7b9e-7c4f-8000-000000000000","user_id":"alice","title":"{title}","purpose":"",
            "status":"active","started_at":"2026-01-01T00:00:00Z","completed_at":null}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn kept(title: &str) -> Kept {
        Kept::Here { session: named(title), revoked: Revoked::default() }
    }

    /// The store is asked before a change, and Redis is told after it.
    #[tokio::test]
    async fn an_answer_from_before_a_change_does_not_take_its_place() {
        let Some(server) = Server::if_present() else { return };
        let redis = Redis::new(&server.url().parse().unwrap(), Metrics::new());
        let probe = tokio::spawn(redis.clone().probe());
        redis.here().wait_for(|here| *here).await.unwrap();
        let id = SessionId(uuid::Uuid::now_v7());
        redis.fill_session(id, kept("old")).await.unwrap();
        assert_eq!(redis.read_session(id).await.unwrap(), Some(kept("old")));
        let notice = ChangeNotice { session: id, change: Change::Updated(named("new")), sources: Vec::new() };
        redis.publish_change(&notice).await.unwrap();
        assert_eq!(redis.read_session(id).await.unwrap(), None);
        redis.fill_session(id, kept("old")).await.unwrap();
        assert_eq!(redis.read_session(id).await.unwrap(), None);
        probe.abort();
    }

    /// Write access to Redis must not decide who owns a session.
    #[tokio::test]
    async fn what_somebody_else_wrote_is_absent() {
        let Some(server) = Server::if_present() else { return };
        let redis = Redis::new(&server.url().parse().unwrap(), Metrics::new());
        let probe = tokio::spawn(redis.clone().probe());
        redis.here().wait_for(|here| *here).await.unwrap();
        let write = async |id, text: String| {
            let mut pipeline = redis::pipe();
            redis.quick::<()>(pipeline.set_ex(session_key(id), text, 60).ignore()).await.unwrap();
        };
        let [one, other] = [1, 2].map(|number| SessionId(uuid::Uuid::from_u128(number)));
        let plain = serde_json::to_string(&Dated { at: crate::clock::now().as_second(), kept: kept("x") });
        write(one, plain.unwrap()).await;
        assert_eq!(redis.read_session(one).await.unwrap(), None, "no seal");
        write(one, write_kept(&Seal::new(&[7; 32], None), &session_key(one), kept("x"))).await;
        assert_eq!(redis.read_session(one).await.unwrap(), None, "another secret's");
        write(one, write_kept(redis.seal(), &session_key(one), kept("x"))).await;
        assert_eq!(redis.read_session(one).await.unwrap(), Some(kept("x")));
        write(other, write_kept(redis.seal(), &session_key(one), kept("x"))).await;
        assert_eq!(redis.read_session(other).await.unwrap(), None, "another session's");
        let old = Dated { at: crate::clock::now().as_second() - OLDEST_SECONDS - 1, kept: kept("x") };
        write(one, redis.seal().close(&session_key(one), &serde_json::to_string(&old).unwrap())).await;
        assert_eq!(redis.read_session(one).await.unwrap(), None, "kept and written again");
        probe.abort();
    }

    #[tokio::test]
    async fn who_is_connected_to_another_relay_is_known() {
        let Some(server) = Server::if_present() else { return };
        let redis = Redis::new(&server.url().parse().unwrap(), Metrics::new());
        let probe = tokio::spawn(redis.clone().probe());
        redis.here().wait_for(|here| *here).await.unwrap();
        let id = SessionId(uuid::Uuid::now_v7());
        assert_eq!(redis.is_anyone_connected(id).await, Ok(false));
        let said = (presence_key(id), "another", "1 {}");
        let () = redis.patient(redis::pipe().hset(said.0, said.1, said.2).ignore()).await.unwrap();
        assert_eq!(redis.is_anyone_connected(id).await, Ok(true));
        probe.abort();
    }
}
