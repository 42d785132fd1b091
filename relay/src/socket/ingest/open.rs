//! From an accepted source to one that may send, and to its end.

use std::sync::Arc;

use mien_shared::api::SourceName;
use mien_shared::expression::Expression;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{IngestLimits, IngestMessage, IngestReply, IngestWelcome, read_ingest};
use mien_shared::{Role, SessionId, SessionStatus};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::connection::{COMMIT_TIMEOUT, Connection, Settled};
use crate::app::App;
use crate::limits::PendingSlot;
use crate::live::LiveSession;
use crate::socket::close_code::or_close_code;
use crate::socket::end::End;
use crate::socket::gauge::GaugeGuard;
use crate::socket::hello::{self, Admitted};
use crate::socket::upgrade::Accepted;
use crate::socket::wire::Wire;
use crate::store::StoreError;

/// Only rare events happen inside `span`: entering it for each message would cost too much.
pub(in crate::socket) async fn serve(accepted: Accepted) {
    let Accepted { state, session, socket, span, slot } = accepted;
    let mut wire = Wire::new(socket, state.config.timeouts);
    // Boxed, so that what only the hello needs does not take up room for hours.
    let opened = Box::pin(open(&state, session, &mut wire, &slot).instrument(span.clone())).await;
    // It counts until it is gone: a shutdown that waits for the last permit waits for its close frame, too.
    let (end, _admitted) = match opened {
        Ok(Opened { admitted, user, source }) => {
            (run(&state, &admitted, user, source, &mut wire, &span).await, Some(admitted))
        }
        Err(refused) => refused,
    };
    Box::pin(end.carry_out_pending(&slot, wire).instrument(span)).await;
}

/// A connection that was let in, but does not yet hold the lock of its source.
struct Opened {
    admitted: Admitted,
    user: String,
    source: SourceName,
}

/// A connection that is refused after it was let in also counts until it is gone.
async fn open(
    app: &App,
    session: SessionId,
    wire: &mut Wire,
    slot: &PendingSlot,
) -> Result<Opened, (End, Option<Admitted>)> {
    let let_in = async {
        let text = hello::first_text(app, wire, slot).await?;
        let Ok(IngestMessage::Hello { token }) = read_ingest(&text) else {
            return Err(End::Close(CloseCode::Malformed));
        };
        let verified = hello::check_token(app, &token, session, Role::Ingest, slot).await?;
        // Before the look-up: whatever ends the session or the token is then either found there or reported from now
        // on.
        let admitted = hello::admit(app, &verified, Role::Ingest, slot).map_err(End::Close)?;
        Ok((verified, admitted))
    };
    let (verified, admitted) = let_in.await.map_err(|end| (end, None))?;
    let code = match hello::find(app, &verified).await.map(|session| session.status) {
        Ok(SessionStatus::Active) => {
            return Ok(Opened { admitted, user: verified.user, source: verified.grant.source });
        }
        Ok(SessionStatus::Completed) => CloseCode::SessionEnded,
        Err(code) => code,
    };
    Err((End::Close(code), Some(admitted)))
}

async fn run(
    app: &App,
    admitted: &Admitted,
    user: String,
    source: SourceName,
    wire: &mut Wire,
    span: &Span,
) -> End {
    let live = Arc::clone(&admitted.live);
    let claim = live.claim(&source);
    let stop = wire.ready().when_woken(Box::pin(async {
        tokio::select! {
            code = claim.ended() => code,
            () = app.drain.begun() => CloseCode::Restarting,
            () = admitted.token.ended() => CloseCode::Unauthorized,
        }
    }));
    tokio::pin!(stop);
    let lock = tokio::select! {
        biased;
        code = &mut stop => return End::Close(code),
        lock = claim.lock() => lock,
    };
    // Only now, when everything that the previous connection had taken is committed.
    let (key, through) = tokio::select! {
        biased;
        code = &mut stop => return End::Close(code),
        found = tokio::time::timeout(COMMIT_TIMEOUT, Box::pin(app.store.open_source(live.id(), &source))) => match found {
            Ok(Ok(found)) => found,
            found => match span.in_scope(|| or_close_code(app, found.unwrap_or(Err(StoreError::TimedOut)))) {
                Ok(found) => found,
                Err(code) => return End::Close(code),
            },
        },
    };
    let counted = GaugeGuard::new(&app.sources);
    let welcome = welcome(app, &live, &source, through);
    // The debt of previous connections: late samples are paid for afterwards, even by a new connection.
    let debt = app.sample_limiter.wait_for(&user, 0);
    let now = Instant::now();
    let source = Arc::new(app.batcher.source(live, source, key));
    let paused_until = (!debt.is_zero()).then(|| now + debt);
    let mut connection = Connection::new(app, wire, span, source, user, through, paused_until);
    let end = tokio::select! {
        biased;
        code = &mut stop => End::Close(code),
        end = connection.run(welcome) => end,
    };
    drop(counted);
    // 1012 tells clients that everything they sent was acked.
    let end = match (end, Box::pin(connection.settle()).await) {
        (End::Close(CloseCode::Restarting), Settled::Partly) => End::Close(CloseCode::AtCapacity),
        (end, _) => end,
    };
    drop(lock);
    if end != End::Gone {
        Box::pin(connection.send_last_answers()).await;
    }
    end
}

fn welcome(app: &App, live: &LiveSession, source: &SourceName, through: u64) -> IngestReply {
    let rate = app.sample_limiter.rate();
    IngestReply::Welcome(IngestWelcome {
        session: live.id(),
        source: source.clone(),
        through,
        expressions: Expression::ALL.to_vec(),
        server_time: u64::try_from(crate::clock::now().as_millisecond()).unwrap_or(0),
        limits: IngestLimits::new(rate.per_second, rate.burst),
    })
}
