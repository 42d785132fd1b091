//! The first message, and the checks that follow it, in the contract's order.

use std::time::Duration;

use mien_shared::problem::CloseCode;
use mien_shared::{Role, SessionId};

use super::wire::{Incoming, Wire};
use crate::app::App;
use crate::auth::{Caller, Grant};
use crate::limiter::Rate;
use crate::store::Found;

/// Tokens that are refused at once. Whoever sends many bad ones waits for each answer, and so takes less of what
/// the others need; a page whose token has run out does not notice.
pub(crate) const REFUSALS: Rate = Rate { per_second: 500, burst: 500 };
/// What a single one waits at most.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Waits for the first message, which must be text, and in time.
pub(super) async fn first_text(app: &App, wire: &mut Wire) -> Result<axum::extract::ws::Utf8Bytes, End> {
    let text = async {
        loop {
            match wire.next().await {
                Incoming::Text(text) => return Ok(text),
                Incoming::Idle => {}
                Incoming::Binary => return Err(End::Close(CloseCode::Malformed)),
                Incoming::Gone => return Err(End::Gone),
                Incoming::Fault(code) => return Err(End::Close(code)),
            }
        }
    };
    tokio::select! {
        biased;
        text = text => text,
        () = tokio::time::sleep(app.config.timings.hello) => Err(End::Close(CloseCode::HelloTimeout)),
        () = app.drain.begun() => Err(End::Close(CloseCode::Restarting)),
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a goodbye.
    Close(CloseCode),
    /// The peer said goodbye first, or broke off.
    Gone,
}

impl From<super::wire::Gone> for End {
    fn from(_: super::wire::Gone) -> Self {
        Self::Gone
    }
}

impl End {
    pub(super) async fn carry_out(self, wire: Wire) {
        match self {
            Self::Close(code) => wire.close(code).await,
            Self::Gone => wire.take_leave().await,
        }
    }
}

/// Whose token it is and what it grants: 4401, then 4403.
pub(super) async fn check_token(
    app: &App,
    token: &str,
    session: SessionId,
    role: Role,
) -> Result<(String, Grant), CloseCode> {
    let read = read_token(app, token, session, role);
    if read.is_err() {
        // One bucket for all: who sends a bad token is nobody in particular.
        tokio::time::sleep(app.refusals.charge("", 1).min(LONGEST_WAIT)).await;
    }
    read
}

fn read_token(app: &App, token: &str, session: SessionId, role: Role) -> Result<(String, Grant), CloseCode> {
    let Caller { user, grant } = app.tokens.read(token).map_err(|_| CloseCode::Unauthorized)?;
    match grant {
        Some(grant) if grant.session == session && (grant.role == role || grant.role == Role::Owner) => {
            Ok((user, grant))
        }
        _ => Err(CloseCode::Forbidden),
    }
}

/// The session as it stands: 4404, or 4410 if it is erased. A store that does not answer is a relay
/// at capacity: worth another try.
pub(super) async fn find(app: &App, session: SessionId) -> Result<mien_shared::api::Session, CloseCode> {
    match app.for_socket(app.cache.find(&app.store, session).await)? {
        Found::Here(session) => Ok(session),
        Found::Erased => Err(CloseCode::SessionEnded),
        Found::Never => Err(CloseCode::SessionNotFound),
    }
}
