//! From an accepted watcher to one that is sent samples, and to its end.

use std::collections::BTreeMap;

use mien_shared::api::SourceName;
use mien_shared::expression::Expression;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{WatchHello, WatchReply, WatchWelcome, read_watch};
use mien_shared::{Role, SessionId, SessionStatus};
use tracing::{Instrument, Span};

use super::connection::Connection;
use super::progress::Progress;
use crate::app::App;
use crate::limits::PendingSlot;
use crate::socket::close_code::or_close_code;
use crate::socket::end::End;
use crate::socket::hello::{self, Admitted, Verified};
use crate::socket::upgrade::Accepted;
use crate::socket::wire::Wire;
use crate::store::Reach;
use crate::store::deadline::within_deadline;

/// Only rare events happen inside `span`: entering it for each message would cost too much.
pub(in crate::socket) async fn serve(accepted: Accepted) {
    let Accepted { state, session, socket, span, slot } = accepted;
    let mut wire = Wire::new(socket, state.config.timeouts);
    // Boxed, so that what only the hello needs does not take up room for hours.
    let opening = open(&state, session, &mut wire, &slot, &span).instrument(span.clone());
    // It counts until it is gone: a shutdown that waits for the last permit waits for its close frame, too.
    let (end, _admitted) = match Box::pin(opening).await {
        Ok((mut connection, admitted)) => {
            let stop = wire.ready().when_woken(Box::pin(async {
                tokio::select! {
                    () = state.drain.begun() => CloseCode::Restarting,
                    () = admitted.token.ended() => CloseCode::Unauthorized,
                }
            }));
            let end = tokio::select! {
                biased;
                code = stop => End::Close(code),
                end = connection.run(&mut wire) => end,
            };
            drop(connection);
            (end, Some(admitted))
        }
        Err(refused) => refused,
    };
    Box::pin(end.carry_out_pending(&slot, wire).instrument(span)).await;
}

/// A connection that is refused after it was let in also counts until it is gone.
async fn open<'a>(
    app: &'a App,
    id: SessionId,
    wire: &mut Wire,
    slot: &PendingSlot,
    span: &'a Span,
) -> Result<(Connection<'a>, Admitted), (End, Option<Admitted>)> {
    let let_in = async {
        let text = hello::first_text(app, wire, slot).await?;
        let Ok(WatchHello { token, since }) = read_watch(&text) else {
            return Err(End::Close(CloseCode::Malformed));
        };
        let verified = hello::check_token(app, &token, id, Role::Watch, slot).await?;
        let admitted = hello::admit(app, &verified, Role::Watch, slot).map_err(End::Close)?;
        Ok((verified, admitted, since))
    };
    let (verified, admitted, since) = let_in.await.map_err(|end| (end, None))?;
    match begin(app, &verified, &admitted, since, wire, span).await {
        Ok(connection) => Ok((connection, admitted)),
        Err(end) => Err((end, Some(admitted))),
    }
}

async fn begin<'a>(
    app: &'a App,
    verified: &Verified,
    admitted: &Admitted,
    since: Option<BTreeMap<SourceName, u64>>,
    wire: &mut Wire,
    span: &'a Span,
) -> Result<Connection<'a>, End> {
    let id = admitted.live.id();
    // Subscribed before anything is looked up: what is committed from now on is remembered for this watcher, so nothing
    // can be missed between the look-up and the first look at the ring.
    let mut subscription = admitted.live.watch();
    let session = hello::find(app, verified).await.map_err(End::Close)?;
    let reaches = or_close_code(app, within_deadline(app.store.reaches(id)).await).map_err(End::Close)?;
    let mut progress = Progress::default();
    // Rejected samples are never sent, so a watcher could wait for `through` in vain.
    let mut throughs = BTreeMap::new();
    for Reach { source, through, newest } in reaches {
        throughs.insert(source.clone(), newest);
        let sent = match &since {
            None => through,
            // Beyond the end means live.
            Some(since) => since.get(&source).copied().unwrap_or(0).min(through),
        };
        progress.advance(&source, sent);
        if sent < through {
            progress.fall_behind(source, through);
        }
    }
    subscription.remote_presence_known().await;
    let told = subscription.live().presence();
    let welcome = WatchReply::Welcome(WatchWelcome {
        session: id,
        status: session.status,
        expressions: Expression::ALL.to_vec(),
        sources: told.sources.clone(),
        watchers: told.watchers,
        throughs: Some(throughs),
    });
    wire.send(&welcome).await?;
    let finishing = session.status == SessionStatus::Completed;
    Ok(Connection::new(app, span, subscription, progress, told, finishing))
}
