//! Sessions: made, found, listed, changed, erased.

use mien_shared::api::{PatchSession, Session};
use mien_shared::limits::MAX_TOKEN_TTL;
use mien_shared::{SessionId, SessionStatus};
use uuid::Uuid;

use crate::store::backend::Backend;
use crate::store::error::{Result, StoreError};
use crate::store::model::{Found, Page, SessionCursor};
use crate::store::value::{millis, now, signed, timestamp, unsigned};

/// Id, user, title, purpose, status, and the times of its start and of its completion.
type Row = (Uuid, String, String, String, String, i64, Option<i64>);

fn session((id, user_id, title, purpose, status, started_at, completed_at): Row) -> Session {
    Session {
        id: SessionId(id),
        user_id,
        title,
        purpose,
        status: if status == "active" { SessionStatus::Active } else { SessionStatus::Completed },
        started_at: timestamp(started_at),
        completed_at: completed_at.map(timestamp),
    }
}

/// A session that is not stored yet.
pub(in crate::store) fn new(user: &str, title: &str, purpose: &str) -> Session {
    Session {
        id: SessionId(Uuid::now_v7()),
        user_id: user.to_owned(),
        title: title.to_owned(),
        purpose: purpose.to_owned(),
        status: SessionStatus::Active,
        started_at: now(),
        completed_at: None,
    }
}

pub(in crate::store) async fn find(connection: &mut impl Backend, id: SessionId) -> Result<Option<Session>> {
    let row: Option<Row> = connection
        .fetch_optional(
            "SELECT id, user_id, title, purpose, status, started_at, completed_at FROM sessions WHERE id = $1",
            &[id.0.into()],
        )
        .await?;
    Ok(row.map(session))
}

/// Like [`find`], but distinguishes an erased session from one that never existed.
pub(in crate::store) async fn find_or_erased(reader: &mut impl Backend, id: SessionId) -> Result<Found> {
    if let Some(session) = find(reader, id).await? {
        return Ok(Found::Here(session));
    }
    let (erased,): (bool,) = reader
        .fetch_one("SELECT EXISTS (SELECT 1 FROM erased_sessions WHERE id = $1)", &[id.0.into()])
        .await?;
    Ok(if erased { Found::Erased } else { Found::Never })
}

/// A user's sessions, newest first.
pub(in crate::store) async fn list(
    reader: &mut impl Backend,
    user: &str,
    after: Option<SessionCursor>,
    limit: u32,
) -> Result<Page<Session, SessionCursor>> {
    // Every id is below this one.
    let before = after.map_or(Uuid::max(), |cursor| cursor.0.0);
    let rows: Vec<Row> = reader
        .fetch_all(
            "SELECT id, user_id, title, purpose, status, started_at, completed_at FROM sessions \
             WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            &[user.into(), before.into(), (i64::from(limit) + 1).into()],
        )
        .await?;
    let sessions = rows.into_iter().map(session).collect();
    Ok(Page::cut(sessions, limit as usize, |last: &Session| SessionCursor(last.id)))
}

pub(in crate::store) async fn count(reader: &mut impl Backend) -> Result<u64> {
    let (count,): (i64,) = reader.fetch_one("SELECT count(*) FROM sessions", &[]).await?;
    Ok(unsigned(count))
}

/// Active ones that began before `before` and took no sample since, ordered by id.
pub(in crate::store) async fn abandoned(
    reader: &mut impl Backend,
    before: jiff::Timestamp,
    after: Option<SessionId>,
    limit: u32,
) -> Result<Vec<SessionId>> {
    // No id is this one.
    let after = after.map_or(Uuid::nil(), |id| id.0);
    let ids: Vec<(Uuid,)> = reader
        .fetch_all(
            "SELECT id FROM sessions e WHERE id > $1 AND status = 'active' AND started_at < $2 AND NOT EXISTS \
             (SELECT 1 FROM sources s WHERE s.session_id = e.id AND stored_at >= $2) ORDER BY id LIMIT $3",
            &[after.into(), millis(before).into(), i64::from(limit).into()],
        )
        .await?;
    Ok(ids.into_iter().map(|(id,)| SessionId(id)).collect())
}

/// Completed ones that ended before `before`, oldest first.
pub(in crate::store) async fn expired(
    reader: &mut impl Backend,
    before: jiff::Timestamp,
    limit: u32,
) -> Result<Vec<SessionId>> {
    let ids: Vec<(Uuid,)> = reader
        .fetch_all(
            "SELECT id FROM sessions WHERE completed_at IS NOT NULL AND completed_at < $1 \
             ORDER BY completed_at LIMIT $2",
            &[millis(before).into(), i64::from(limit).into()],
        )
        .await?;
    Ok(ids.into_iter().map(|(id,)| SessionId(id)).collect())
}

/// The session as a patch leaves it.
pub(in crate::store) fn patched(mut session: Session, patch: &PatchSession) -> Result<Session> {
    match (session.status, patch.status) {
        (SessionStatus::Completed, Some(SessionStatus::Active)) => return Err(StoreError::Conflict),
        (SessionStatus::Active, Some(SessionStatus::Completed)) => {
            session.status = SessionStatus::Completed;
            session.completed_at = Some(now());
        }
        _ => {}
    }
    if let Some(title) = &patch.title {
        session.title.clone_from(title);
    }
    Ok(session)
}

/// Stores what [`patched`] may have changed.
pub(in crate::store) async fn save(writer: &mut impl Backend, session: &Session) -> Result<()> {
    writer
        .execute(
            "UPDATE sessions SET title = $1, status = $2, completed_at = $3 WHERE id = $4",
            &[
                session.title.as_str().into(),
                session.status.name().into(),
                session.completed_at.map(millis).into(),
                session.id.0.into(),
            ],
        )
        .await?;
    Ok(())
}

/// Deletes the session itself; false if there is none.
pub(in crate::store) async fn delete(writer: &mut impl Backend, id: SessionId) -> Result<bool> {
    Ok(writer.execute("DELETE FROM sessions WHERE id = $1", &[id.0.into()]).await? > 0)
}

/// Deletes what belongs to a session that was just deleted, except its sources, and records that it existed.
pub(in crate::store) async fn delete_belongings(writer: &mut impl Backend, id: SessionId) -> Result<()> {
    writer.execute("DELETE FROM markers WHERE session_id = $1", &[id.0.into()]).await?;
    writer.execute("DELETE FROM revocations WHERE session_id = $1", &[id.0.into()]).await?;
    writer
        .execute(
            "INSERT INTO erased_sessions (id, erased_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[id.0.into(), millis(now()).into()],
        )
        .await?;
    Ok(())
}

/// Forgets sessions that were erased so long ago that every token for them has expired.
pub(in crate::store) async fn forget_erased(writer: &mut impl Backend) -> Result<()> {
    let before = millis(now()) - signed(MAX_TOKEN_TTL.as_secs() * 1_000);
    writer.execute("DELETE FROM erased_sessions WHERE erased_at < $1", &[before.into()]).await?;
    Ok(())
}
