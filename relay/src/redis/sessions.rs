//! Sessions in Redis: what caches read there, and how all replicas hear of a change.

use mien_shared::api::{Session, SourceName};
use mien_shared::{SessionId, SessionStatus};
use redis::Pipeline;
use serde::{Deserialize, Serialize};

use super::message::{ALL, Notice, gone_key, presence_key, session_key, window_key};
use super::window::LIFE_SECONDS;
use super::{Away, Redis};

/// Life of what caches read: bounds for how long a change that was never told can go unseen.
const SESSION_SECONDS: u64 = 60;
/// For how long nothing is kept of a session that has changed: longer than what a relay asked its store before may be
/// on its way here.
const BLANK_SECONDS: u64 = 15;
/// Life of the mark that a session was erased: longer than anything of it that may still be under way.
const GONE_SECONDS: u64 = 2 * LIFE_SECONDS;

/// What became of a session, as it stands in Redis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Renamed or completed: what it is now.
    Updated(Session),
    Erased,
}

/// A change of which the others must hear.
#[derive(Clone, Debug)]
pub struct Tell {
    pub session: SessionId,
    pub change: Change,
    /// Its sources, where it was erased.
    pub sources: Vec<SourceName>,
}

/// When a change is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// As soon as it was made.
    Now,
    /// It may be old by now: what caches read is blanked, and they ask the store.
    Late,
}

impl Redis {
    /// Tells all replicas of a change, at once or not at all.
    pub async fn tell(&self, tell: &Tell) -> Result<(), Away> {
        let mut pipeline = redis::pipe();
        tell.add_to(&mut pipeline, When::Now);
        self.quick(&pipeline).await
    }

    /// Whether any relay says that someone is connected to the session. What it says expires with it.
    pub(crate) async fn is_anyone_connected(&self, id: SessionId) -> Result<bool, Away> {
        let (there,): (bool,) = self.quick(redis::pipe().exists(presence_key(id))).await?;
        Ok(there)
    }

    /// What a cache wrote there.
    pub(crate) async fn read_session(&self, id: SessionId) -> Result<Option<Change>, Away> {
        let (text,): (Option<Vec<u8>>,) = self.quick(redis::pipe().get(session_key(id))).await?;
        // What is blank, or another version wrote and this one cannot read, is as good as absent.
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    /// Writes what the store said, unless something newer is there.
    pub(crate) async fn fill_session(&self, id: SessionId, found: &Change) -> Result<(), Away> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("SET").arg(session_key(id)).arg(json(found)).arg("NX").arg("EX").arg(SESSION_SECONDS);
        self.quick(pipeline.ignore()).await
    }
}

impl Tell {
    pub(super) fn add_to(&self, pipeline: &mut Pipeline, when: When) {
        let Self { session, change, sources } = self;
        if *change == Change::Erased {
            pipeline.set_ex(gone_key(*session), 1, GONE_SECONDS).ignore();
            for source in sources {
                pipeline.del(window_key(*session, source)).ignore();
            }
            pipeline.del(presence_key(*session)).ignore();
        }
        match change {
            // What is not the last word on a session must not stand where that already stands.
            Change::Updated(now) if when == When::Late || now.status == SessionStatus::Active => {
                // Not merely taken away: an answer from before, still on its way, would take the empty place.
                pipeline.set_ex(session_key(*session), "", BLANK_SECONDS).ignore()
            }
            _ => pipeline.set_ex(session_key(*session), json(change), SESSION_SECONDS).ignore(),
        };
        let notice = Notice::Changed { session: *session, change: change.clone() };
        pipeline.publish(ALL, notice.to_json()).ignore();
    }
}

fn json(change: &Change) -> String {
    serde_json::to_string(change).expect("a session is plain JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use mien_servers::Redis as Server;

    fn named(title: &str) -> Change {
        let text = format!(
            r#"{{"id":"0195f0a2-7b9e-7c4f-8000-000000000000","user_id":"alice","title":"{title}","purpose":"",
            "status":"active","started_at":"2026-01-01T00:00:00Z","completed_at":null}}"#
        );
        Change::Updated(serde_json::from_str(&text).unwrap())
    }

    /// Asked of the store before a change, told to Redis after it.
    #[tokio::test]
    async fn an_answer_from_before_a_change_does_not_take_its_place() {
        let Some(server) = Server::if_present() else { return };
        let redis = Redis::new(&server.url().parse().unwrap(), Metrics::new());
        let probe = tokio::spawn(redis.clone().probe());
        redis.here().wait_for(|here| *here).await.unwrap();
        let id = SessionId(uuid::Uuid::now_v7());
        redis.fill_session(id, &named("old")).await.unwrap();
        assert_eq!(redis.read_session(id).await.unwrap(), Some(named("old")));
        let tell = Tell { session: id, change: named("new"), sources: Vec::new() };
        redis.tell(&tell).await.unwrap();
        assert_eq!(redis.read_session(id).await.unwrap(), None);
        redis.fill_session(id, &named("old")).await.unwrap();
        assert_eq!(redis.read_session(id).await.unwrap(), None);
        probe.abort();
    }
}
