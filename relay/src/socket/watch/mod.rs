//! A watcher's connection: committed samples, each once, in order, without gaps, at the watcher's own speed.
//!
//! The connection keeps its place in each source. What continues the place is taken from the hub; what the
//! hub no longer remembers is read from the store. A slow peer is slow for itself alone.

use std::collections::BTreeMap;
use std::time::Duration;

use mien_shared::api::SourceName;
use mien_shared::expression::Expression;
use mien_shared::limits::MAX_ERRORS;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{WatchHello, WatchReply, WatchWelcome, read_watch};
use mien_shared::{Code, Role, Sample, SessionId, SessionStatus};
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::coalesce::Rest;
use super::hello::{self, Admitted, Believed, End};
use super::upgrade::Entrant;
use super::wire::{Incoming, Wire};
use crate::app::{App, patiently};
use crate::limits::pending::Place;
use crate::live::{Next, Phase, Presence, View, Watching, samples_message};
use crate::store::{Found, Reach};

/// Samples read from the store at a time.
const CATCH_UP_ROWS: u32 = 256;
/// Faces, and reasons for skipped time, in one message that was made from the store: some 100 KB.
const MAX_MESSAGE_PARTS: usize = 512;
/// A session's watchers together are sent to some 1,700 times a second; the longest rest still looks live.
const REST: Rest = Rest { each: Duration::from_micros(600), longest: Duration::from_millis(300) };

/// In `span` happens only what is rare: entering it for each message costs more than it tells.
pub(super) async fn serve(entrant: Entrant) {
    let Entrant { state, session, socket, span, place } = entrant;
    let mut wire = Wire::new(socket, state.config.timeouts);
    // Boxed: what is only needed for the hello is not kept for hours.
    let opening = open(&state, session, &mut wire, &place, &span).instrument(span.clone());
    // It counts until it is gone: whoever waits for the last permit waits for its goodbye, too.
    let (end, _admitted) = match Box::pin(opening).await {
        Ok((mut connection, admitted)) => {
            let stop = wire.bells().rarely(Box::pin(async {
                tokio::select! {
                    () = state.drain.begun() => CloseCode::Restarting,
                    () = admitted.bearer.over() => CloseCode::Unauthorized,
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
    Box::pin(end.carry_out_in(&place, wire).instrument(span)).await;
}

struct Connection<'a> {
    app: &'a App,
    span: &'a Span,
    id: SessionId,
    watching: Watching,
    /// The last seq of each source that was sent, or that need not be.
    places: BTreeMap<SourceName, u64>,
    /// Sources to read from the store, up to this seq.
    behind: BTreeMap<SourceName, u64>,
    lag: Lag,
    /// What the peer was told last.
    told: Presence,
    /// When samples may be sent again.
    rested_at: Instant,
    /// Whether all that is left is to send the rest.
    finishing: bool,
    errors: u32,
}

/// What is refused after it was let in counts until it is gone, too.
async fn open<'a>(
    app: &'a App,
    id: SessionId,
    wire: &mut Wire,
    place: &Place,
    span: &'a Span,
) -> Result<(Connection<'a>, Admitted), (End, Option<Admitted>)> {
    let let_in = async {
        let text = hello::first_text(app, wire, place).await?;
        let Ok(WatchHello { token, since }) = read_watch(&text) else {
            return Err(End::Close(CloseCode::Malformed));
        };
        let believed = hello::check_token(app, &token, id, Role::Watch, place).await?;
        let admitted = hello::admit(app, &believed, Role::Watch, place).map_err(End::Close)?;
        Ok((believed, admitted, since))
    };
    let (believed, admitted, since) = let_in.await.map_err(|end| (end, None))?;
    match begin(app, &believed, &admitted, since, wire, span).await {
        Ok(connection) => Ok((connection, admitted)),
        Err(end) => Err((end, Some(admitted))),
    }
}

async fn begin<'a>(
    app: &'a App,
    believed: &Believed,
    admitted: &Admitted,
    since: Option<BTreeMap<SourceName, u64>>,
    wire: &mut Wire,
    span: &'a Span,
) -> Result<Connection<'a>, End> {
    let id = admitted.live.id();
    // Joined before anything is looked up: what is committed from now on is remembered for this watcher, so
    // nothing can fall between the look-up and the first news.
    let mut watching = admitted.live.watch();
    let session = hello::find(app, believed).await.map_err(End::Close)?;
    let reaches = app.for_socket(patiently(app.store.reaches(id)).await).map_err(End::Close)?;
    let mut places = BTreeMap::new();
    let mut behind = BTreeMap::new();
    // What is rejected is never sent, so a watcher could wait for `through` in vain.
    let mut throughs = BTreeMap::new();
    for Reach { source, through, newest } in reaches {
        throughs.insert(source.clone(), newest);
        let place = match &since {
            None => through,
            // Beyond the end means live.
            Some(since) => since.get(&source).copied().unwrap_or(0).min(through),
        };
        if place < through {
            behind.insert(source.clone(), through);
        }
        places.insert(source, place);
    }
    watching.know_others().await;
    let told = watching.live().presence();
    let welcome = WatchReply::Welcome(WatchWelcome {
        session: id,
        status: session.status,
        expressions: Expression::ALL.to_vec(),
        sources: told.sources.clone(),
        watchers: told.watchers,
        throughs: Some(throughs),
    });
    wire.send(&welcome).await?;
    Ok(Connection {
        app,
        span,
        id,
        watching,
        places,
        behind,
        lag: Lag::new(&app.metrics.watch_lag_samples),
        told,
        rested_at: Instant::now(),
        finishing: session.status == SessionStatus::Completed,
        errors: 0,
    })
}

impl Connection<'_> {
    async fn run(&mut self, wire: &mut Wire) -> End {
        loop {
            match self.step(wire).await {
                Ok(()) => {}
                Err(end) => return end,
            }
        }
    }

    /// Sends what there is to send, then waits until there may be more.
    async fn step(&mut self, wire: &mut Wire) -> Result<(), End> {
        let View { phase, presence, next, more } = self.watching.look(&self.told, &self.places);
        // Boxed, as is all below that is rare: a watcher that waits holds no room for it.
        if phase != Phase::Active && (phase == Phase::Erased || !self.finishing) {
            let span = self.span.clone();
            Box::pin(self.finish(phase).instrument(span)).await?;
        }
        let mut sent = presence.is_some();
        if let Some(presence) = presence {
            Box::pin(self.tell_presence(presence, wire)).await?;
        }
        for next in next {
            match next {
                // While the store is being read for a source, its place is not yet where the pieces are.
                Next::Pieces(source, _) if self.behind.contains_key(&source) => {}
                Next::Pieces(source, pieces) => {
                    for piece in pieces {
                        wire.feed_text(piece.text).await?;
                        self.move_on(&source, piece.through);
                    }
                    sent = true;
                }
                Next::Store(source, through) => self.fall_behind(source, through),
            }
        }
        if sent {
            wire.flush().await?;
            self.rested_at = Instant::now() + REST.among(self.told.watchers);
        }
        if !self.behind.is_empty() {
            let span = self.span.clone();
            Box::pin(self.catch_up(wire).instrument(span)).await?;
        } else if !more {
            if self.finishing {
                wire.send(&WatchReply::Session { status: SessionStatus::Completed }).await?;
                return Err(End::Close(CloseCode::Done));
            }
            let news = async {
                if self.rested_at > Instant::now() {
                    tokio::time::sleep_until(self.rested_at).await;
                }
                self.watching.news().await;
            };
            let incoming = tokio::select! {
                () = news => None,
                incoming = wire.next() => Some(incoming),
            };
            if let Some(incoming) = incoming {
                Box::pin(self.hear(incoming, wire)).await?;
            }
            return Ok(());
        }
        // Also while there is much to send: a peer that closes or talks is heard.
        while let Some(incoming) = wire.next_now() {
            Box::pin(self.hear(incoming, wire)).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, phase: Phase) -> Result<(), End> {
        if phase == Phase::Erased {
            return Err(End::Close(CloseCode::SessionEnded));
        }
        // The last word on how far each source came.
        let throughs =
            self.app.for_socket(patiently(self.app.store.throughs(self.id)).await).map_err(End::Close)?;
        for (source, through) in throughs {
            if self.place(&source) < through {
                self.fall_behind(source, through);
            }
        }
        self.finishing = true;
        Ok(())
    }

    async fn tell_presence(&mut self, presence: Presence, wire: &mut Wire) -> Result<(), End> {
        let Presence { sources, watchers } = presence.clone();
        wire.send(&WatchReply::Presence { sources, watchers }).await?;
        self.told = presence;
        Ok(())
    }

    fn place(&self, source: &SourceName) -> u64 {
        self.places.get(source).copied().unwrap_or(0)
    }

    /// Never less far than known before: the hub may have heard of less than the store had then.
    fn fall_behind(&mut self, source: SourceName, through: u64) {
        let target = self.behind.entry(source).or_insert(through);
        *target = through.max(*target);
    }

    fn reach(&mut self, source: &SourceName, place: u64, target: u64) {
        if place >= target {
            self.behind.remove(source);
        }
        self.move_on(source, place);
    }

    fn move_on(&mut self, source: &SourceName, place: u64) {
        match self.places.get_mut(source) {
            Some(known) => *known = place,
            None => {
                self.places.insert(source.clone(), place);
            }
        }
    }

    /// Reads and sends one page of each source that is behind.
    async fn catch_up(&mut self, wire: &mut Wire) -> Result<(), End> {
        self.lag
            .set(self.behind.iter().map(|(source, target)| target.saturating_sub(self.place(source))).sum());
        for (source, target) in self.behind.clone() {
            let recent = self.app.replicas.recent(self.id, &source, self.place(&source)).await;
            if !recent.is_empty() {
                for piece in recent {
                    wire.send_text(piece.text).await?;
                    self.reach(&source, piece.through, target);
                }
                continue;
            }
            let after = self.place(&source);
            let samples = self.app.store.samples_after(self.id, &source, after, target, CATCH_UP_ROWS);
            let samples = self.app.for_socket(patiently(samples).await).map_err(End::Close)?;
            if samples.is_empty() {
                // Only refused ones to the target, or none any more.
                self.require_session().await?;
            }
            for portion in portions(&samples) {
                wire.send_text(samples_message(&source, portion)).await?;
            }
            let reached = match samples.last() {
                Some(last) if samples.len() == CATCH_UP_ROWS as usize => last.seq,
                // That was all: what remains up to the target are gaps and refused samples.
                _ => target,
            };
            self.reach(&source, reached, target);
        }
        if self.behind.is_empty() {
            self.lag.set(0);
        }
        // It took what it was sent, and was not asked for a sign of life meanwhile.
        wire.listen_again();
        Ok(())
    }

    async fn require_session(&self) -> Result<(), End> {
        let found = patiently(self.app.store.find_session(self.id)).await;
        match self.app.for_socket(found).map_err(End::Close)? {
            Found::Here(_) => Ok(()),
            Found::Erased | Found::Never => Err(End::Close(CloseCode::SessionEnded)),
        }
    }

    /// All that a watcher may say was said in its hello.
    async fn hear(&mut self, incoming: Incoming, wire: &mut Wire) -> Result<(), End> {
        let (code, detail) = match incoming {
            Incoming::Text(text) => match read_watch(&text) {
                Ok(_) => (Code::HelloRepeated, Code::HelloRepeated.title().to_owned()),
                Err(fault) => (fault.code, fault.detail.into_owned()),
            },
            // A page sees no pings: this tells it that the line is alive.
            Incoming::Idle => return self.tell_presence(self.told.clone(), wire).await,
            Incoming::Binary => (Code::BinaryMessage, Code::BinaryMessage.title().to_owned()),
            Incoming::Gone => return Err(End::Gone),
            Incoming::Fault(code) => return Err(End::Close(code)),
        };
        self.errors += 1;
        wire.send(&WatchReply::Error { code, detail }).await?;
        if self.errors >= MAX_ERRORS { Err(End::Close(CloseCode::Malformed)) } else { Ok(()) }
    }
}

/// Cuts samples into messages of a size that any client takes.
fn portions(samples: &[Sample]) -> impl Iterator<Item = &[Sample]> {
    let mut rest = samples;
    std::iter::from_fn(move || {
        let mut parts = 0;
        let fit = rest
            .iter()
            .take_while(|sample| {
                // A reason for skipped time is shorter than a face.
                parts += sample.faces.len() + sample.skipped.len();
                parts <= MAX_MESSAGE_PARTS
            })
            .count();
        // A single sample always fits: it has at most 32 faces, and 16 reasons.
        let (portion, others) = rest.split_at(fit);
        rest = others;
        (!portion.is_empty()).then_some(portion)
    })
}

/// One watcher's part of the gauge, taken back when it goes.
struct Lag {
    gauge: Gauge,
    part: i64,
}

impl Lag {
    fn new(gauge: &Gauge) -> Self {
        Self { gauge: gauge.clone(), part: 0 }
    }

    fn set(&mut self, samples: u64) {
        let part = i64::try_from(samples).unwrap_or(i64::MAX);
        self.gauge.inc_by(part - self.part);
        self.part = part;
    }
}

impl Drop for Lag {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_leave_nothing_out() {
        let face = mien_shared::Face {
            id: 1,
            bounds: [0.0, 0.0, 1.0, 1.0].into(),
            expression: None,
            scores: mien_shared::Scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
            quality: None,
        };
        let samples: Vec<Sample> =
            (1..=100).map(|seq| Sample::new(seq, seq, vec![face.clone(); (seq % 33) as usize])).collect();
        let back: Vec<Sample> = portions(&samples).flatten().cloned().collect();
        assert_eq!(back, samples);
        assert!(
            portions(&samples)
                .all(|part| part.iter().map(|s| s.faces.len()).sum::<usize>() <= MAX_MESSAGE_PARTS)
        );
        assert_eq!(portions(&[]).count(), 0);
    }
}
