//! The first message, and the checks that follow it, in the contract's order.

use std::sync::Arc;
use std::time::Duration;

use mien_shared::api::Session;
use mien_shared::problem::CloseCode;
use mien_shared::{Role, SessionId};
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::close_code::or_close_code;
use super::end::End;
use super::wire::{Incoming, Wire};
use crate::app::App;
use crate::auth::{Caller, Grant, Stamp, Token};
use crate::limits::{Admission, CountedSocket, PendingSlot, SocketOwner};
use crate::live::{LiveSession, TokenGuard};
use crate::store::Found;

/// Maximum time that a bad token waits for its answer.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Waits for the first message, which must be text, and in time.
pub(super) async fn first_text(app: &App, wire: &mut Wire, slot: &PendingSlot) -> Result<Utf8Bytes, End> {
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
        () = tokio::time::sleep(app.config.timeouts.hello) => Err(End::Close(CloseCode::HelloTimeout)),
        () = app.drain.begun() => Err(End::Close(CloseCode::Restarting)),
        () = slot.evicted() => Err(End::Evicted),
    }
}

/// A caller whose token is valid for this socket.
pub(super) struct Verified {
    pub(super) user: String,
    pub(super) grant: Grant,
    stamp: Stamp,
}

/// A connection that was let in. What it holds is released when it ends, however it ends.
pub(super) struct Admitted {
    pub(super) live: Arc<LiveSession>,
    pub(super) token: TokenGuard,
    _counted: CountedSocket,
    _permit: OwnedSemaphorePermit,
}

/// Whose token it is and what it grants: 4401, then 4403.
pub(super) async fn check_token(
    app: &App,
    token: &str,
    session: SessionId,
    role: Role,
    slot: &PendingSlot,
) -> Result<Verified, End> {
    let read = read_token(app, token, session, role);
    if read.is_err() {
        // One bucket for all, as a bad token belongs to nobody.
        let wait = tokio::time::sleep(app.bad_tokens.charge("", 1).min(LONGEST_WAIT));
        slot.while_kept(wait).await.ok_or(End::Evicted)?;
    }
    read.map_err(End::Close)
}

fn read_token(app: &App, token: &str, session: SessionId, role: Role) -> Result<Verified, CloseCode> {
    let Token { caller: Caller { user, grant }, stamp } =
        app.tokens.verify(token).map_err(|_| CloseCode::Unauthorized)?;
    match grant {
        Some(grant) if grant.session == session && (grant.role == role || grant.role == Role::Owner) => {
            Ok(Verified { user, grant, stamp })
        }
        _ => Err(CloseCode::Forbidden),
    }
}

/// Whether there is room: 1013 if waiting helps, 4413 if it does not. From here on the connection counts as admitted,
/// and ends with its token.
pub(super) fn admit(
    app: &App,
    verified: &Verified,
    role: Role,
    slot: &PendingSlot,
) -> Result<Admitted, CloseCode> {
    let Verified { user, grant, stamp } = verified;
    let permit = Arc::clone(&app.connections).try_acquire_owned().map_err(|_| CloseCode::AtCapacity)?;
    let live = app.hub.join(grant.session);
    let takes_over = role == Role::Ingest && live.is_claimed(&grant.source);
    let admission = if takes_over { Admission::TakesOver } else { Admission::New };
    let owner = SocketOwner { user, session: grant.session, token: &stamp.id };
    let counted = app.socket_counts.count(owner, admission).map_err(|too_many| {
        tracing::info!(of = too_many.of, most = too_many.most, "a connection is one too many");
        CloseCode::QuotaExceeded
    })?;
    let token = live.guard_token(stamp.clone());
    slot.release();
    Ok(Admitted { live, token, _counted: counted, _permit: permit })
}

/// The session as it is: 4404, 4410 if it is erased, or 4401 if the token was revoked. A store that does not answer
/// counts as a relay at capacity: worth another attempt.
pub(super) async fn find(app: &App, verified: &Verified) -> Result<Session, CloseCode> {
    let known = or_close_code(app, app.cache.lookup(&app.store, verified.grant.session).await)?;
    match known.found {
        Found::Here(_) if known.revoked.covers(&verified.stamp) => Err(CloseCode::Unauthorized),
        Found::Here(session) => Ok(session),
        Found::Erased => Err(CloseCode::SessionEnded),
        Found::Never => Err(CloseCode::SessionNotFound),
    }
}
