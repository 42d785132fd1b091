//! A watcher that is sent committed samples, each once, in order, without gaps, at its own speed.
//!
//! The connection tracks its progress in each source. What continues from there is taken from the hub; what the hub no
//! longer remembers is read from the store. A slow peer slows down only itself.

use std::time::Duration;

use mien_shared::limits::MAX_ERRORS;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{WatchReply, read_watch};
use mien_shared::{Code, SessionId, SessionStatus};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::lag::Lag;
use super::portions::portions;
use super::progress::Progress;
use crate::app::App;
use crate::live::{Phase, Presence, Step, Subscription, View, json_bytes, samples_message};
use crate::socket::close_code::or_close_code;
use crate::socket::coalesce::CoalesceDelay;
use crate::socket::end::End;
use crate::socket::wire::{Incoming, Wire};
use crate::store::Found;
use crate::store::deadline::within_deadline;

/// Samples read from the store at a time: the most, and so many where they are large, or nothing is known of them.
const CATCH_UP_ROWS: u32 = 256;
const LARGE_ROWS: u32 = 64;
/// Samples are large where as many as are read at a time take more, as JSON.
const CATCH_UP_BYTES: usize = 512 * 1024;
/// All watchers of a session together are sent to at most some 1,700 times a second; the longest delay still looks
/// live.
const SEND_DELAY: CoalesceDelay =
    CoalesceDelay { per_peer: Duration::from_micros(600), longest: Duration::from_millis(300) };

pub(super) struct Connection<'a> {
    app: &'a App,
    span: &'a Span,
    id: SessionId,
    subscription: Subscription,
    progress: Progress,
    lag: Lag,
    /// What the peer was told last.
    told: Presence,
    /// When samples may be sent again.
    delayed_until: Instant,
    /// Samples to read from the store next.
    rows: u32,
    /// Whether the session is completed, and only the rest remains to be sent.
    finishing: bool,
    errors: u32,
}

impl<'a> Connection<'a> {
    pub(super) fn new(
        app: &'a App,
        span: &'a Span,
        subscription: Subscription,
        progress: Progress,
        told: Presence,
        finishing: bool,
    ) -> Self {
        Self {
            app,
            span,
            id: subscription.live().id(),
            subscription,
            progress,
            lag: Lag::new(&app.metrics.watch_lag_samples),
            told,
            delayed_until: Instant::now(),
            rows: LARGE_ROWS,
            finishing,
            errors: 0,
        }
    }

    pub(super) async fn run(&mut self, wire: &mut Wire) -> End {
        loop {
            match self.step(wire).await {
                Ok(()) => {}
                Err(end) => return end,
            }
        }
    }

    /// Sends what there is to send, then waits until there may be more.
    async fn step(&mut self, wire: &mut Wire) -> Result<(), End> {
        let View { phase, presence, next, more } = self.subscription.look(&self.told, self.progress.sent());
        // Boxed, as is everything rare below, so that it takes up no room in a watcher that waits.
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
                // These batches do not yet continue from a source that is still being read from the store.
                Step::Send(source, _) if self.progress.is_source_behind(&source) => {}
                Step::Send(source, batches) => {
                    for batch in batches {
                        wire.feed_text(batch.text).await?;
                        self.progress.advance(&source, batch.through);
                    }
                    sent = true;
                }
                Step::ReadStore(source, through) => self.progress.fall_behind(source, through),
            }
        }
        if sent {
            wire.flush().await?;
            self.delayed_until = Instant::now() + SEND_DELAY.for_peers(self.told.watchers);
        }
        if self.progress.is_behind() {
            let span = self.span.clone();
            Box::pin(self.catch_up(wire).instrument(span)).await?;
        } else if !more {
            if self.finishing {
                wire.send(&WatchReply::Session { status: SessionStatus::Completed }).await?;
                return Err(End::Close(CloseCode::Done));
            }
            let changed = async {
                if self.delayed_until > Instant::now() {
                    tokio::time::sleep_until(self.delayed_until).await;
                }
                self.subscription.changed().await;
            };
            let incoming = tokio::select! {
                () = changed => None,
                incoming = wire.next() => Some(incoming),
            };
            if let Some(incoming) = incoming {
                Box::pin(self.receive(incoming, wire)).await?;
            }
            return Ok(());
        }
        // Also while there is much to send, so that a peer that closes is noticed.
        while let Some(incoming) = wire.next_now() {
            Box::pin(self.receive(incoming, wire)).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, phase: Phase) -> Result<(), End> {
        if phase == Phase::Erased {
            return Err(End::Close(CloseCode::SessionEnded));
        }
        // How far each source got in the end.
        let throughs = within_deadline(self.app.store.throughs(self.id)).await;
        let throughs = or_close_code(self.app, throughs).map_err(End::Close)?;
        for (source, through) in throughs {
            if self.progress.sent_of(&source) < through {
                self.progress.fall_behind(source, through);
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

    /// Reads and sends one page of each source that is behind.
    async fn catch_up(&mut self, wire: &mut Wire) -> Result<(), End> {
        self.lag.set(self.progress.lag());
        for (source, target) in self.progress.behind() {
            let after = self.progress.sent_of(&source);
            let recent = self.app.replicas.recent(self.id, &source, after).await;
            if !recent.is_empty() {
                for batch in recent {
                    wire.send_text(batch.text).await?;
                    self.progress.reach(&source, batch.through, target);
                }
                continue;
            }
            let rows = self.rows;
            let samples = self.app.store.samples_after(self.id, &source, after, target, rows);
            let samples = or_close_code(self.app, within_deadline(samples).await).map_err(End::Close)?;
            if samples.is_empty() {
                // Everything up to the target was rejected, or the session was erased.
                self.require_session().await?;
            }
            for portion in portions(&samples) {
                wire.send_text(samples_message(&source, portion)).await?;
            }
            let bytes: usize = samples.iter().map(json_bytes).sum();
            let large = bytes * CATCH_UP_ROWS as usize > CATCH_UP_BYTES * samples.len();
            self.rows = if large { LARGE_ROWS } else { CATCH_UP_ROWS };
            let reached = match samples.last() {
                Some(last) if samples.len() == rows as usize => last.seq,
                // There is no more: the rest up to the target are gaps and rejected samples.
                _ => target,
            };
            self.progress.reach(&source, reached, target);
        }
        if !self.progress.is_behind() {
            self.lag.set(0);
        }
        // It took what it was sent, and no ping was sent in the meantime.
        wire.reset_silence();
        Ok(())
    }

    async fn require_session(&self) -> Result<(), End> {
        let found = within_deadline(self.app.store.find_session(self.id)).await;
        match or_close_code(self.app, found).map_err(End::Close)? {
            Found::Here(_) => Ok(()),
            Found::Erased | Found::Never => Err(End::Close(CloseCode::SessionEnded)),
        }
    }

    /// A watcher sends nothing after its hello.
    async fn receive(&mut self, incoming: Incoming, wire: &mut Wire) -> Result<(), End> {
        let (code, detail) = match incoming {
            Incoming::Text(text) => match read_watch(&text) {
                Ok(_) => (Code::HelloRepeated, Code::HelloRepeated.title().to_owned()),
                Err(fault) => (fault.code, fault.detail.into_owned()),
            },
            // Pages do not see pings: this tells them that the connection is alive.
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
