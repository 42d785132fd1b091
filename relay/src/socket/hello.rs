//! The first message, and the checks that follow it, in the contract's order.

use std::sync::Arc;
use std::time::Duration;

use mien_shared::api::Session;
use mien_shared::problem::CloseCode;
use mien_shared::{Role, SessionId};
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::wire::{Incoming, Wire};
use crate::app::App;
use crate::auth::{Caller, Grant, Stamp, Token};
use crate::config::Rate;
use crate::limits::pending::Place;
use crate::limits::sockets::{Counted, Entry, Of};
use crate::live::{Bearer, Live};
use crate::store::Found;

/// Tokens that are refused at once. Whoever sends many bad ones waits for each answer, and so takes less of what
/// the others need; a page whose token has run out does not notice.
pub(crate) const REFUSALS: Rate = Rate { per_second: 500, burst: 500 };
/// For a last word to leave.
const BRIEFLY: Duration = Duration::from_millis(250);
/// What a single one waits at most.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Waits for the first message, which must be text, and in time.
pub(super) async fn first_text(app: &App, wire: &mut Wire, place: &Place) -> Result<Utf8Bytes, End> {
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
        () = place.lost() => Err(End::Lost),
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a goodbye.
    Close(CloseCode),
    /// The peer said goodbye first, or broke off.
    Gone,
    /// It has not said hello, and another needs its place.
    Lost,
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
            // It is hardly waited for: there must not be more of these than of those that have a place.
            Self::Lost => {
                let _ = tokio::time::timeout(BRIEFLY, wire.close(CloseCode::AtCapacity)).await;
            }
        }
    }

    /// The same for a connection that may not have been let in: then it keeps its place until it is gone, or another
    /// needs it.
    pub(super) async fn carry_out_in(self, place: &Place, wire: Wire) {
        if self == Self::Lost {
            self.carry_out(wire).await;
        } else {
            let _ = place.while_kept(self.carry_out(wire)).await;
        }
    }
}

/// A caller whose token is good for this socket.
pub(super) struct Believed {
    pub(super) user: String,
    pub(super) grant: Grant,
    stamp: Stamp,
}

/// A connection that was let in. What it holds it gives back when it ends, however it ends.
pub(super) struct Admitted {
    pub(super) live: Arc<Live>,
    pub(super) bearer: Bearer,
    _counted: Counted,
    _permit: OwnedSemaphorePermit,
}

/// Whose token it is and what it grants: 4401, then 4403.
pub(super) async fn check_token(
    app: &App,
    token: &str,
    session: SessionId,
    role: Role,
    place: &Place,
) -> Result<Believed, End> {
    let read = read_token(app, token, session, role);
    if read.is_err() {
        // One bucket for all: who sends a bad token is nobody in particular.
        let wait = tokio::time::sleep(app.refusals.charge("", 1).min(LONGEST_WAIT));
        place.while_kept(wait).await.ok_or(End::Lost)?;
    }
    read.map_err(End::Close)
}

fn read_token(app: &App, token: &str, session: SessionId, role: Role) -> Result<Believed, CloseCode> {
    let Token { caller: Caller { user, grant }, stamp } =
        app.tokens.verify(token).map_err(|_| CloseCode::Unauthorized)?;
    match grant {
        Some(grant) if grant.session == session && (grant.role == role || grant.role == Role::Owner) => {
            Ok(Believed { user, grant, stamp })
        }
        _ => Err(CloseCode::Forbidden),
    }
}

/// Whether there is room: 1013 where it comes by itself, 4413 where it does not. From here on the connection counts among
/// those that are known, and hears of its token's end.
pub(super) fn admit(
    app: &App,
    believed: &Believed,
    role: Role,
    place: &Place,
) -> Result<Admitted, CloseCode> {
    let Believed { user, grant, stamp } = believed;
    let permit = Arc::clone(&app.connections).try_acquire_owned().map_err(|_| CloseCode::AtCapacity)?;
    let live = app.hub.join(grant.session);
    let takes_over = role == Role::Ingest && live.is_claimed(&grant.source);
    let entry = if takes_over { Entry::TakesOver } else { Entry::New };
    let of = Of { user, session: grant.session, token: &stamp.id };
    let counted = app.socket_counts.count(of, entry).map_err(|too_many| {
        tracing::info!(of = too_many.of, most = too_many.most, "a connection is one too many");
        CloseCode::QuotaExceeded
    })?;
    let bearer = live.bear(stamp.clone());
    place.give_back();
    Ok(Admitted { live, bearer, _counted: counted, _permit: permit })
}

/// The session as it stands: 4404, 4410 if it is erased, or 4401 if the token was revoked. A store that does not answer
/// is a relay at capacity: worth another try.
pub(super) async fn find(app: &App, believed: &Believed) -> Result<Session, CloseCode> {
    let known = app.for_socket(app.cache.know(&app.store, believed.grant.session).await)?;
    match known.found {
        Found::Here(_) if known.revoked.covers(&believed.stamp) => Err(CloseCode::Unauthorized),
        Found::Here(session) => Ok(session),
        Found::Erased => Err(CloseCode::SessionEnded),
        Found::Never => Err(CloseCode::SessionNotFound),
    }
}
