//! Tokens that were revoked.

use mien_shared::SessionId;

use crate::store::backend::Backend;
use crate::store::error::Result;
use crate::store::revoked::{Revocation, Revoked};
use crate::store::value::{millis, now};

/// A revocation as it is stored: the token that it names (empty for all), until when, and the exception.
pub(in crate::store) fn columns(revocation: &Revocation) -> (&str, i64, Option<&str>) {
    match revocation {
        Revocation::One(token) => (token, millis(now()), None),
        Revocation::All { until_ms, except } => ("", *until_ms, except.as_deref()),
    }
}

/// Adds such a row to what is revoked for its session.
pub(in crate::store) fn add(revoked: &mut Revoked, token: String, until_ms: i64, except: Option<String>) {
    if token.is_empty() {
        revoked.until_ms = Some(until_ms);
        revoked.except = except;
    } else {
        revoked.ids.insert(token);
    }
}

/// What was revoked for a session.
pub(in crate::store) async fn read(connection: &mut impl Backend, id: SessionId) -> Result<Revoked> {
    let rows: Vec<(String, i64, Option<String>)> = connection
        .fetch_all("SELECT token, until_ms, except_id FROM revocations WHERE session_id = $1", &[id.0.into()])
        .await?;
    let mut revoked = Revoked::default();
    for (token, until_ms, except) in rows {
        add(&mut revoked, token, until_ms, except);
    }
    Ok(revoked)
}
